//! Answers against the OpenAPI document.

use std::{collections::BTreeSet, sync::LazyLock};

use serde_json::{Map, Value};

use super::fits::{Checks, close};

/// An answer, wherever it comes from.
pub(super) struct Answer<'a> {
    pub(super) method: &'a str,
    /// Without the query.
    pub(super) path: &'a str,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: &'a [u8],
}

/// The document, and which of its answers were seen.
pub(super) struct Contract {
    document: Value,
    seen: BTreeSet<(String, u16)>,
    checks: Checks,
}

impl Contract {
    pub(super) fn read() -> Self {
        let text = std::fs::read_to_string(super::document("openapi.json"));
        let text = text.expect("the document is committed");
        let mut document: Value = serde_json::from_str(&text).expect("it is JSON");
        close(&mut document["components"]["schemas"]);
        Self {
            document,
            seen: BTreeSet::new(),
            checks: Checks::default(),
        }
    }

    /// Checks an answer's status, headers and type; its body is checked by [`Contract::end`].
    ///
    /// # Panics
    /// When it is not as the document says.
    pub(super) fn check(&mut self, answer: &Answer<'_>) {
        let body = String::from_utf8_lossy(answer.body);
        let shown = format!(
            "{} {}: {} {body}",
            answer.method, answer.path, answer.status
        );
        let operation = self.operation(answer);
        let operation = operation.unwrap_or_else(|| panic!("it is not described: {shown}"));
        let id = operation["operationId"].to_string();
        let response = self.resolved(&operation["responses"][answer.status.to_string()]);
        assert!(response.is_object(), "it is not described: {shown}");
        for (name, header) in object(&response["headers"]) {
            let is_there = answer.header(name).is_some();
            assert!(is_there || header["required"] != true, "no {name}: {shown}");
        }
        let kind = answer.header("content-type").unwrap_or_default();
        let media = kind.split(';').next().unwrap_or_default();
        let contents = object(&response["content"]);
        let schema = contents.get(media).map(|content| &content["schema"]);
        assert_eq!(
            schema.is_some(),
            !body.is_empty(),
            "{media:?} is not described: {shown}"
        );
        assert_eq!(
            schema.is_some(),
            !contents.is_empty(),
            "a body is described: {shown}"
        );
        let is_lines = media == "application/x-ndjson";
        let (schema, parts) = match schema {
            Some(schema) if is_lines => {
                let of_line = &schema["contentSchema"]["items"];
                (of_line.clone(), body.lines().collect())
            }
            Some(schema) => (schema.clone(), vec![&*body]),
            None => (Value::Null, Vec::new()),
        };
        for part in parts {
            let value = serde_json::from_str(part);
            let value = value.unwrap_or_else(|_| panic!("it is no JSON: {shown}"));
            self.checks.add(&schema, value, &shown);
        }
        self.seen.insert((id, answer.status));
    }

    /// Checks all bodies, and that each answer that is no problem was seen, but to
    /// `not_called`.
    ///
    /// # Panics
    /// When it is not so.
    pub(super) async fn end(self, not_called: &[&str]) {
        let items = object(&self.document["paths"]).values().flat_map(object);
        for (_, operation) in items.filter(|(_, it)| it["operationId"].is_string()) {
            let id = &operation["operationId"];
            for status in object(&operation["responses"]).keys() {
                let seen = status.parse().map(|status| (id.to_string(), status));
                let is_called = not_called.iter().all(|other| id != other);
                let is_missing = seen.is_ok_and(|seen| seen.1 < 400 && !self.seen.contains(&seen));
                assert!(!(is_called && is_missing), "no {status} came from {id}");
            }
        }
        self.checks.run(&self.document["components"]).await;
    }

    /// The operation that answers; a path without parameters comes first.
    fn operation(&self, answer: &Answer<'_>) -> Option<&Value> {
        let paths = object(&self.document["paths"]).iter();
        let mut found: Vec<_> = paths
            .filter(|(path, _)| matches(path, answer.path))
            .collect();
        found.sort_by_key(|(path, _)| path.matches('{').count());
        let (_, item) = found.first()?;
        item.get(answer.method.to_ascii_lowercase())
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target = value["$ref"].as_str();
        let target = target.and_then(|path| self.document.pointer(path.trim_start_matches('#')));
        target.unwrap_or(value)
    }
}

impl Answer<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

fn matches(template: &str, path: &str) -> bool {
    let (mut parts, mut found) = (template.split('/'), path.split('/'));
    loop {
        match (parts.next(), found.next()) {
            (None, None) => return true,
            (Some(part), Some(found)) if part.starts_with('{') || part == found => {}
            _ => return false,
        }
    }
}

fn object(value: &Value) -> &Map<String, Value> {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE)
}
