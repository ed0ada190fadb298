//! The page of one operation.

use askama::Template;
use serde_json::Value;

use super::document::{self, Operation, fields, list, resolved, text};
use super::schema::Kind;
use super::servers::Servers;
use super::text::{Paragraph, paragraphs, spans};
use crate::web::{JsonView, Messages, Shell, filters};

#[derive(Template)]
#[template(path = "api_operation.html")]
pub(super) struct OperationPage {
    shell: Shell,
    title: &'static str,
    operation: Operation,
    /// Where it is called; empty for what an endpoint receives.
    server: String,
    about: Vec<Paragraph>,
    parameters: Vec<Parameter>,
    bodies: Vec<Body>,
    answers: Vec<Answer>,
}

struct Parameter {
    name: &'static str,
    place: &'static str,
    required: bool,
    kind: Kind,
    about: Paragraph,
}

struct Body {
    media: &'static str,
    kind: Kind,
    examples: Vec<Example>,
}

struct Example {
    /// Unique on the page.
    id: String,
    /// What is said of it, else its name.
    about: &'static str,
    view: JsonView,
    /// Of what is kept of it.
    file: String,
}

struct Answer {
    status: &'static str,
    /// Problems fold.
    is_problem: bool,
    about: Paragraph,
    /// Names and meanings.
    headers: Vec<(&'static str, Paragraph)>,
    bodies: Vec<Body>,
}

impl OperationPage {
    pub(super) fn of(id: &str, servers: &Servers, shell: Shell) -> Option<Self> {
        let operation = document::operations().find(|operation| operation.id == id)?;
        let server = operation.server.map(|server| servers.called(server.url));
        let value = operation.value;
        let t = shell.t;
        Some(Self {
            title: operation.summary,
            operation,
            server: server.unwrap_or_default().to_owned(),
            about: paragraphs(text(&value["description"])),
            parameters: list(&value["parameters"])
                .iter()
                .map(|parameter| Parameter::of(parameter, t))
                .collect(),
            bodies: bodies(&value["requestBody"], "body", t),
            answers: fields(&value["responses"])
                .map(|answer| Answer::of(answer, t))
                .collect(),
            shell,
        })
    }
}

impl Parameter {
    fn of(value: &'static Value, t: &'static Messages) -> Self {
        Self {
            name: text(&value["name"]),
            place: text(&value["in"]),
            required: value["required"] == true,
            kind: Kind::of(&value["schema"], t),
            about: spans(text(&value["description"])),
        }
    }
}

impl Answer {
    fn of((status, value): (&'static str, &'static Value), t: &'static Messages) -> Self {
        let value = resolved(value);
        let header = |(name, header): (&'static str, &'static Value)| {
            (name, spans(text(&header["description"])))
        };
        Self {
            status,
            is_problem: !value["content"]["application/problem+json"].is_null(),
            about: spans(text(&value["description"])),
            headers: fields(&value["headers"]).map(header).collect(),
            bodies: bodies(value, status, t),
        }
    }
}

fn bodies(value: &'static Value, part: &str, t: &'static Messages) -> Vec<Body> {
    let mut ids = (1..).map(|number| format!("{part}-{number}"));
    let body = |(media, content): (&'static str, &'static Value)| {
        let schema = &content["schema"];
        // Of a text that holds JSON it is the JSON that counts.
        let inner = &schema["contentSchema"];
        let kind = Kind::of(if inner.is_object() { inner } else { schema }, t);
        Body {
            media,
            kind,
            examples: fields(&content["examples"])
                .zip(&mut ids)
                .map(|((name, example), id)| Example {
                    id,
                    about: example["summary"].as_str().unwrap_or(name),
                    view: JsonView::of(shown(&example["value"])),
                    file: file(name, media),
                })
                .collect(),
        }
    };
    fields(&value["content"]).map(body).collect()
}

fn file(name: &str, media: &str) -> String {
    let kind = if media.ends_with("json") {
        "json"
    } else {
        "txt"
    };
    format!("{name}.{kind}")
}

fn shown(example: &Value) -> String {
    let text = example.as_str();
    text.map_or_else(|| format!("{example:#}"), str::to_owned)
}
