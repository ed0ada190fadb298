//! The OpenAPI document, as the pages read it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::OPENAPI;
use super::text::{Paragraph, paragraphs, spans};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(OPENAPI).expect("the document is JSON: a test reads it"));

/// The operations of one tag.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) about: Paragraph,
    pub(super) operations: Vec<Operation>,
}

/// A method on a path, or what an endpoint receives.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    pub(super) id: &'static str,
    pub(super) method: &'static str,
    /// The path; of what an endpoint receives the event.
    pub(super) path: &'static str,
    /// Where it is served; `None` for what an endpoint receives.
    pub(super) server: Option<Server>,
    pub(super) summary: &'static str,
    pub(super) value: &'static Value,
}

/// Where it is served.
#[derive(Clone, Copy)]
pub(super) struct Server {
    /// What it is called, and what it is for.
    pub(super) about: &'static str,
    /// As the committed document names it.
    pub(super) url: &'static str,
}

impl Server {
    fn of(value: &'static Value) -> Self {
        Self {
            about: text(&value["description"]),
            url: text(&value["url"]),
        }
    }
}

pub(super) fn title() -> &'static str {
    text(&DOCUMENT["info"]["title"])
}

pub(super) fn about() -> Vec<Paragraph> {
    paragraphs(text(&DOCUMENT["info"]["description"]))
}

/// All operations, by tag.
pub(super) fn groups() -> Vec<Group> {
    let group = |tag: &'static Value| Group {
        name: text(&tag["name"]),
        about: spans(text(&tag["description"])),
        operations: operations()
            .filter(|operation| operation.value["tags"][0] == tag["name"])
            .collect(),
    };
    list(&DOCUMENT["tags"]).iter().map(group).collect()
}

/// All operations, and what an endpoint receives.
pub(super) fn operations() -> impl Iterator<Item = Operation> {
    ["paths", "webhooks"].into_iter().flat_map(|part| {
        fields(&DOCUMENT[part]).flat_map(|(path, item)| {
            let server = item["servers"].get(0).map(Server::of);
            let methods = fields(item).filter(|(_, value)| value["operationId"].is_string());
            methods.map(move |(method, value)| Operation {
                id: text(&value["operationId"]),
                method,
                path,
                server,
                summary: text(&value["summary"]),
                value,
            })
        })
    })
}

/// The names of all types.
pub(super) fn types() -> Vec<&'static str> {
    let types = fields(&DOCUMENT["components"]["schemas"]);
    types.map(|(name, _)| name).collect()
}

/// The schema of a type.
pub(super) fn schema(name: &str) -> Option<(&'static str, &'static Value)> {
    fields(&DOCUMENT["components"]["schemas"]).find(|(known, _)| *known == name)
}

/// Whether clients send values of the type: its fields can be required of them.
pub(super) fn is_sent(name: &str) -> bool {
    SENT.contains(name)
}

/// What bodies of requests refer to, and what that refers to.
static SENT: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let requests = operations().filter(|operation| operation.server.is_some());
    let mut left: Vec<_> = requests.map(|it| &it.value["requestBody"]).collect();
    let mut sent = BTreeSet::new();
    while let Some(value) = left.pop() {
        let target = value["$ref"]
            .as_str()
            .and_then(|path| path.rsplit('/').next());
        if target.is_some_and(|name| sent.insert(name)) {
            left.push(resolved(value));
        }
        left.extend(fields(value).map(|(_, part)| part));
        left.extend(list(value));
    }
    sent
});

/// The value itself, or what it refers to.
pub(super) fn resolved(value: &'static Value) -> &'static Value {
    let target = value["$ref"].as_str();
    let target = target.and_then(|path| DOCUMENT.pointer(path.trim_start_matches('#')));
    target.unwrap_or(value)
}

/// A text; empty where there is none.
pub(super) fn text(value: &'static Value) -> &'static str {
    value.as_str().unwrap_or_default()
}

/// The items of a list; none where there is no list.
pub(super) fn list(value: &'static Value) -> &'static [Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The fields of an object; none where there is no object.
pub(super) fn fields(
    value: &'static Value,
) -> impl Iterator<Item = (&'static str, &'static Value)> {
    let fields = value.as_object().into_iter().flat_map(Map::iter);
    fields.map(|(name, value)| (name.as_str(), value))
}
