//! Schemas that stand in a document once, under their names.

use domain::{Envelope, EventKind};
use schemars::SchemaGenerator;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::{Map, Value, json};
use service::contract::Shape;

/// Where they stand.
const PATH: &str = "/components/schemas";

/// The named schemas of one document.
#[derive(Debug)]
pub(crate) struct Components {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Components {
    pub(crate) fn new() -> Self {
        let generator = |contract| {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.meta_schema = None;
                settings.definitions_path = PATH.into();
                settings.contract = contract;
            });
            settings.into_generator()
        };
        Self {
            read: generator(Contract::Deserialize),
            written: generator(Contract::Serialize),
        }
    }

    /// The schema of a type; what has a name is referred to by it.
    pub(crate) fn schema(&mut self, shape: &Shape) -> Value {
        let generator = match shape.contract {
            Contract::Deserialize => &mut self.read,
            Contract::Serialize => &mut self.written,
            // The two that there are; the type is open to more.
            ref other => unreachable!("{other:?}"),
        };
        tidy((shape.schema)(generator).to_value())
    }

    /// One event as it is delivered.
    pub(crate) fn event(&mut self, kind: EventKind) -> Value {
        self.written.subschema_for::<Envelope>();
        json!({"$ref": format!("#{PATH}/{kind}")})
    }

    /// All that have a name, in the order of the names.
    ///
    /// # Panics
    /// When a type is read otherwise than it is written and both have one name: give one of
    /// them another.
    pub(crate) fn named(mut self) -> Map<String, Value> {
        let mut named: Vec<(String, Value)> = Vec::new();
        for generator in [&mut self.read, &mut self.written] {
            for (name, schema) in generator.take_definitions(true) {
                let schema = tidy(schema);
                match named.iter().find(|(known, _)| *known == name) {
                    Some((_, known)) => assert_eq!(*known, schema, "two schemas named {name}"),
                    None => named.push((name, schema)),
                }
            }
        }
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        named.into_iter().collect()
    }
}

/// Takes out what says nothing to a reader: Rust's names for the sizes of numbers, that
/// what is missing is `null`, and where the lines of a comment break.
pub(crate) fn tidy(mut schema: Value) -> Value {
    if let Value::Object(keywords) = &mut schema {
        if let Some(Value::String(text)) = keywords.get_mut("description") {
            let paragraphs = text.split("\n\n").map(|text| text.replace('\n', " "));
            *text = paragraphs.collect::<Vec<_>>().join("\n\n");
        }
        let is_size = |format: &Value| {
            let format = format.as_str().unwrap_or_default();
            format.starts_with("uint") || format.starts_with("int")
        };
        keywords.retain(|key, value| match key.as_str() {
            "format" => !is_size(value),
            "default" => !value.is_null(),
            _ => true,
        });
    }
    match &mut schema {
        Value::Object(keywords) => {
            for value in keywords.values_mut() {
                *value = tidy(value.take());
            }
        }
        Value::Array(values) => {
            for value in values {
                *value = tidy(value.take());
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    schema
}
