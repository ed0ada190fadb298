//! Types: what a value may be, in words and with links.

use askama::Template;
use serde_json::Value;

use super::document::{self, fields, list, text};
use super::text::{Paragraph, paragraphs, spans};
use crate::web::{JsonView, Messages, Shell, filters};

/// What a value is, such as `list of Endpoint`.
pub(super) struct Kind {
    /// What stands before the type.
    pub(super) before: String,
    /// A type with a page of its own.
    pub(super) linked: Option<&'static str>,
}

/// A field of an object.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) kind: Kind,
    pub(super) about: Paragraph,
}

#[derive(Template)]
#[template(path = "api_type.html")]
pub(super) struct TypePage {
    shell: Shell,
    title: &'static str,
    about: Vec<Paragraph>,
    fields: Vec<Field>,
    /// What it may be, where it may be several things.
    choices: Vec<(Kind, Paragraph)>,
    /// The JSON Schema, and the file it is kept in.
    schema: JsonView,
    file: String,
}

impl TypePage {
    pub(super) fn of(name: &str, shell: Shell) -> Option<Self> {
        let (title, schema) = document::schema(name)?;
        let t = shell.t;
        let choices = list(&schema["oneOf"]).iter();
        let choices = choices.chain(list(&schema["anyOf"]));
        Some(Self {
            title,
            about: paragraphs(text(&schema["description"])),
            fields: fields_of(schema, document::is_sent(title), t),
            choices: choices
                .map(|choice| (Kind::of(choice, t), spans(text(&choice["description"]))))
                // Rules for the fields above are no types.
                .filter(|(kind, _)| kind.linked.is_some() || !kind.before.is_empty())
                .collect(),
            file: format!("{title}.schema.json"),
            schema: JsonView::of(format!("{schema:#}")),
            shell,
        })
    }
}

/// An answer has its fields or not: nobody is required to give them.
fn fields_of(schema: &'static Value, is_sent: bool, t: &'static Messages) -> Vec<Field> {
    let required = list(&schema["required"]);
    let field = |(name, schema): (&'static str, &'static Value)| Field {
        name,
        required: is_sent && required.iter().any(|it| it == name),
        kind: Kind::of(schema, t),
        about: spans(text(&schema["description"])),
    };
    fields(&schema["properties"]).map(field).collect()
}

impl Kind {
    pub(super) fn of(schema: &'static Value, t: &'static Messages) -> Self {
        if let Some(path) = schema["$ref"].as_str() {
            let linked = path.rsplit('/').next();
            return Self {
                before: String::new(),
                linked,
            };
        }
        let words = |values: &'static Value| {
            let words: Vec<String> = list(values).iter().map(word).collect();
            words.join(", ")
        };
        if schema["enum"].is_array() {
            return Self::in_words(words(&schema["enum"]));
        }
        if let Some(only) = schema.get("const") {
            return Self::in_words(word(only));
        }
        if schema["items"].is_object() {
            let list = format!("{} ", t.api.list_of);
            return Self::of(&schema["items"], t).behind(&list);
        }
        let choices = list(&schema["anyOf"]).iter().chain(list(&schema["oneOf"]));
        let mut choices: Vec<Self> = choices.map(|choice| Self::of(choice, t)).collect();
        // The linked one stands last.
        choices.sort_by_key(|kind| kind.linked.is_some());
        if let Some(last) = choices.pop() {
            let first: String = choices
                .iter()
                .map(|kind| format!("{} {} ", kind.before, t.events.or))
                .collect();
            return last.behind(&first);
        }
        let types = &schema["type"];
        if types.is_array() {
            let types: Vec<&str> = list(types).iter().map(text).collect();
            return Self::in_words(types.join(&format!(" {} ", t.events.or)));
        }
        Self::in_words(bounded(schema, text(types), t))
    }

    fn in_words(before: String) -> Self {
        Self {
            before,
            linked: None,
        }
    }

    fn behind(self, words: &str) -> Self {
        Self {
            before: format!("{words}{}", self.before),
            ..self
        }
    }
}

/// A type with its bounds.
fn bounded(schema: &Value, name: &str, t: &'static Messages) -> String {
    let least = schema["minimum"].as_number().map(|it| t.api.at_least(it));
    let most = schema["maximum"].as_number().map(|it| t.api.at_most(it));
    let bounds = least.into_iter().chain(most);
    bounds.fold(name.to_owned(), |words, bound| format!("{words} {bound}"))
}

fn word(value: &Value) -> String {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.map_or_else(|| value.to_string(), str::to_owned)
}
