//! One operation as an object of OpenAPI.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use service::contract::{Answer, Content, Operation, Parameter, Place, Security};
use service::problem::{ABOUT_BLANK, Problem};

use super::{security, split_example};
use crate::components::Components;

/// The operation without its method and path.
pub(super) fn object(operation: &Operation, components: &mut Components) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("operationId", operation.id.into());
    put("tags", json!([operation.tag]));
    put("summary", operation.summary.into());
    let description = description(operation);
    if !description.is_empty() {
        put("description", description.into());
    }
    put(
        "security",
        operation.security.iter().map(security).collect(),
    );
    if !operation.parameters.is_empty() {
        put(
            "parameters",
            operation.parameters.iter().map(parameter).collect(),
        );
    }
    if !operation.bodies.is_empty() {
        let bodies = operation
            .bodies
            .iter()
            .map(|body| content(body, components));
        let bodies: Map<String, Value> = bodies.collect();
        put("requestBody", json!({"required": true, "content": bodies}));
    }
    put("responses", responses(operation, components));
    object.into()
}

fn description(operation: &Operation) -> String {
    let roles = operation
        .security
        .iter()
        .find_map(|security| match security {
            Security::Bearer(roles) => Some(*roles),
            Security::Query(_) => None,
        });
    let roles = roles.map(|roles| {
        let names: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
        format!("Roles: {}.", names.join(", "))
    });
    let about = Some(operation.description.to_owned()).filter(|about| !about.is_empty());
    let parts: Vec<String> = [about, roles].into_iter().flatten().collect();
    parts.join("\n\n")
}

fn parameter(parameter: &Parameter) -> Value {
    let (schema, example) = split_example(&parameter.schema);
    let place = match parameter.place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
    };
    let mut object = json!({
        "name": parameter.name,
        "in": place,
        "required": parameter.required,
        "description": parameter.description,
        "schema": schema,
    });
    if let Some(example) = example {
        object["example"] = example;
    }
    object
}

/// A media type and what stands there.
fn content(content: &Content, components: &mut Components) -> (String, Value) {
    let schema = components.schema(&content.shape);
    let is_json = content.media == "application/json";
    let schema = if is_json || content.media == "text/event-stream" {
        schema
    } else if content.is_lines() {
        json!({
            "description": "JSON values, one a line.",
            "type": "string",
            "contentMediaType": content.media,
            "contentSchema": {"type": "array", "items": schema},
        })
    } else {
        json!({
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": schema,
        })
    };
    let examples = content.examples.iter().map(|(name, body)| {
        let value = if is_json || body.is_string() {
            body.clone()
        } else {
            content.text(body).into()
        };
        ((*name).to_owned(), json!({"value": value}))
    });
    let examples: Map<String, Value> = examples.collect();
    let object = json!({"schema": schema, "examples": examples});
    (content.media.to_owned(), object)
}

/// By status, those that do what was asked for first.
fn responses(operation: &Operation, components: &mut Components) -> Value {
    let mut responses = Map::new();
    for one in &operation.answers {
        responses.insert(one.status.as_str().to_owned(), answer(one, components));
    }
    let mut problems: BTreeMap<u16, Vec<&Problem>> = BTreeMap::new();
    for problem in &operation.problems {
        let same = problems.entry(problem.status.as_u16()).or_default();
        if !same.contains(&problem) {
            same.push(problem);
        }
    }
    for (status, problems) in problems {
        responses.insert(status.to_string(), refusal(&problems, components));
    }
    responses.into()
}

fn answer(answer: &Answer, components: &mut Components) -> Value {
    let mut object = json!({"description": answer.description});
    if !answer.headers.is_empty() {
        let headers = answer.headers.iter().map(|(name, meaning)| {
            let header = json!({"description": meaning, "schema": {"type": "string"}});
            ((*name).to_owned(), header)
        });
        object["headers"] = headers.collect::<Map<_, _>>().into();
    }
    if let Some(body) = &answer.content {
        let contents: Map<String, Value> = [content(body, components)].into_iter().collect();
        object["content"] = contents.into();
    }
    object
}

/// Problems with one status.
fn refusal(problems: &[&Problem], components: &mut Components) -> Value {
    let mut titles: Vec<String> = problems.iter().map(|problem| problem.title()).collect();
    titles.dedup();
    let mut headers = Map::new();
    if problems.iter().any(|problem| problem.retry_after.is_some()) {
        let seconds = json!({
            "description": "Seconds after which the same request may work.",
            "required": problems.iter().all(|problem| problem.retry_after.is_some()),
            "schema": {"type": "integer", "minimum": 0},
        });
        headers.insert("Retry-After".to_owned(), seconds);
    }
    if problems
        .iter()
        .any(|problem| problem.status.as_u16() == 401)
    {
        let scheme = json!({
            "description": "How to say who one is.",
            "required": true,
            "schema": {"const": "Bearer"},
        });
        headers.insert("WWW-Authenticate".to_owned(), scheme);
    }
    let mut examples = Map::new();
    for problem in problems {
        let name = if problem.slug == ABOUT_BLANK {
            problem.title().to_ascii_lowercase().replace(' ', "-")
        } else {
            problem.slug.to_owned()
        };
        let mut unique = name.clone();
        let mut number = 1;
        while examples.contains_key(&unique) {
            number += 1;
            unique = format!("{name}-{number}");
        }
        let example = json!({"summary": summary(problem), "value": problem});
        examples.insert(unique, example);
    }
    let shape = service::contract::Shape::written::<Problem>();
    let mut object = json!({"description": titles.join(", ")});
    if !headers.is_empty() {
        object["headers"] = headers.into();
    }
    object["content"] = json!({
        "application/problem+json": {"schema": components.schema(&shape), "examples": examples},
    });
    object
}

/// What tells it from others of its kind.
fn summary(problem: &Problem) -> String {
    let what = match problem.errors.first() {
        Some(error) => format!("{}: {}", error.path, error.detail),
        None => problem.detail.clone(),
    };
    format!("{}: {what}", problem.title())
}
