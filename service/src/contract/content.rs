//! What bodies and parameters hold.

use schemars::generate::Contract;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

/// What a value looks like: a type of this program, as it is read or as it is written.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The type's schema.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Whether it comes in or goes out.
    pub contract: Contract,
}

impl Shape {
    /// As requests carry it.
    #[must_use]
    pub fn read<T: JsonSchema>() -> Self {
        Self {
            schema: SchemaGenerator::subschema_for::<T>,
            contract: Contract::Deserialize,
        }
    }

    /// As answers carry it.
    #[must_use]
    pub fn written<T: JsonSchema>() -> Self {
        Self {
            schema: SchemaGenerator::subschema_for::<T>,
            contract: Contract::Serialize,
        }
    }
}

/// A body of one media type.
#[derive(Clone, Debug)]
pub struct Content {
    /// Such as `application/json`.
    pub media: &'static str,
    /// What it holds; of NDJSON what a line holds.
    pub shape: Shape,
    /// Bodies by a name for each, the first one for who wants one only. Of NDJSON a list
    /// of its lines.
    pub examples: Vec<(&'static str, Value)>,
}

/// One JSON value a line.
pub(super) const NDJSON: &str = "application/x-ndjson";

impl Content {
    /// `application/json`.
    #[must_use]
    pub fn json(shape: Shape) -> Self {
        Self::of("application/json", shape)
    }

    /// `application/x-ndjson`.
    #[must_use]
    pub fn ndjson(line: Shape) -> Self {
        Self::of(NDJSON, line)
    }

    /// Another media type.
    #[must_use]
    pub fn of(media: &'static str, shape: Shape) -> Self {
        Self {
            media,
            shape,
            examples: Vec::new(),
        }
    }

    /// With one more example.
    #[must_use]
    pub fn example(mut self, name: &'static str, body: Value) -> Self {
        self.examples.push((name, body));
        self
    }

    /// Whether each line is a value of its own.
    #[must_use]
    pub fn is_lines(&self) -> bool {
        self.media == NDJSON
    }

    /// An example as it is sent.
    #[must_use]
    pub fn text(&self, example: &Value) -> String {
        match example.as_array() {
            Some(lines) if self.is_lines() => {
                lines.iter().map(|line| format!("{line}\n")).collect()
            }
            Some(_) | None => example.to_string(),
        }
    }
}
