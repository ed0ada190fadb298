//! The page of one operation.

use askama::Template;
use serde_json::Value;

use super::document::{self, Operation, fields, list, resolved, text};
use super::schema::Kind;
use super::text::{Paragraph, paragraphs, spans};

#[derive(Template)]
#[template(path = "api_operation.html")]
pub(super) struct OperationPage {
    title: &'static str,
    operation: Operation,
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
    /// Names and texts.
    examples: Vec<(&'static str, String)>,
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
    pub(super) fn of(id: &str) -> Option<Self> {
        let operation = document::operations().find(|operation| operation.id == id)?;
        let value = operation.value;
        Some(Self {
            title: operation.summary,
            operation,
            about: paragraphs(text(&value["description"])),
            parameters: list(&value["parameters"])
                .iter()
                .map(Parameter::of)
                .collect(),
            bodies: bodies(&value["requestBody"]),
            answers: fields(&value["responses"]).map(Answer::of).collect(),
        })
    }
}

impl Parameter {
    fn of(value: &'static Value) -> Self {
        Self {
            name: text(&value["name"]),
            place: text(&value["in"]),
            required: value["required"] == true,
            kind: Kind::of(&value["schema"]),
            about: spans(text(&value["description"])),
        }
    }
}

impl Answer {
    fn of((status, value): (&'static str, &'static Value)) -> Self {
        let value = resolved(value);
        let header = |(name, header): (&'static str, &'static Value)| {
            (name, spans(text(&header["description"])))
        };
        Self {
            status,
            is_problem: !value["content"]["application/problem+json"].is_null(),
            about: spans(text(&value["description"])),
            headers: fields(&value["headers"]).map(header).collect(),
            bodies: bodies(value),
        }
    }
}

fn bodies(value: &'static Value) -> Vec<Body> {
    let body = |(media, content): (&'static str, &'static Value)| {
        let schema = &content["schema"];
        // Of a text that holds JSON it is the JSON that counts.
        let inner = &schema["contentSchema"];
        let kind = Kind::of(if inner.is_object() { inner } else { schema });
        Body {
            media,
            kind,
            examples: fields(&content["examples"])
                .map(|(name, example)| (name, shown(&example["value"])))
                .collect(),
        }
    };
    fields(&value["content"]).map(body).collect()
}

fn shown(example: &Value) -> String {
    let text = example.as_str();
    text.map_or_else(|| format!("{example:#}"), str::to_owned)
}
