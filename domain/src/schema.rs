//! JSON Schemas (2020-12) of the events, made from their types.

use std::borrow::Cow;

use schemars::{
    JsonSchema, Schema, SchemaGenerator,
    generate::{Contract, SchemaSettings},
    json_schema,
};
use serde_json::{Map, Value, json};

use crate::{
    Envelope, EventData, EventId, EventKind, NewFeedback, NpsCalculated, RatingSubmitted,
    Submission, Timestamp, WidgetDismissed,
};

/// The envelope of one event as endpoints get it: every field is there.
#[must_use]
pub fn delivered(kind: EventKind) -> Value {
    let mut data = data(kind, Contract::Serialize);
    let description = take_text(&mut data, "description");
    // `null` is written out like any other value, so there is no default.
    for (_, property) in properties(&mut data) {
        remove(property, "default");
    }
    json!({
        "title": kind.as_str(),
        "description": format!("{description} This is the body of a delivery, in UTF-8."),
        "type": "object",
        "properties": {
            "event": {"description": "Which event this is.", "const": kind},
            "id": described::<EventId>(
                "The event's id: the same on every attempt. Remember it to see each event once."
            ),
            "timestamp": described::<Timestamp>("When it happened (ISO 8601, always UTC)."),
            "data": data,
        },
        "required": ["event", "id", "timestamp", "data"],
        "additionalProperties": false,
        "examples": [example(kind)],
    })
}

/// What an event is, in one sentence.
#[must_use]
pub fn description(kind: EventKind) -> String {
    take_text(&mut data(kind, Contract::Serialize), "description")
}

/// An event as shops hand it in: fields that may be unknown may be missing,
/// `null` or `""`.
#[must_use]
pub fn submission() -> Value {
    let events: Vec<Value> = EventKind::ALL.into_iter().map(submitted).collect();
    json!({
        "title": "submission",
        "description": "An event as it is posted to /v1/events. Unknown fields are refused.",
        "oneOf": events,
    })
}

fn submitted(kind: EventKind) -> Value {
    let mut data = data(kind, Contract::Deserialize);
    let description = take_text(&mut data, "description");
    let required = data["required"].clone();
    for (name, property) in properties(&mut data) {
        if !contains(&required, name) {
            let described = take_text(property, "description");
            remove(property, "default");
            *property = json!({"description": described, "anyOf": [property, {"const": ""}]});
        }
    }
    json!({
        "title": kind.as_str(),
        "description": description,
        "type": "object",
        "properties": {
            "event": {"description": "Which event this is.", "const": kind},
            "timestamp": described::<Option<Timestamp>>(
                "When it happened (ISO 8601 with a time zone); the moment of receipt where it is missing."
            ),
            "data": data,
        },
        "required": ["event", "data"],
        "additionalProperties": false,
        "examples": [{"event": kind, "data": EventData::example(kind)}],
    })
}

/// An event as it is delivered: with the product page's moment, and an id made up
/// once, so that documents do not change from run to run.
///
/// # Panics
/// Never: id and moment are literals that a test reads.
#[must_use]
pub fn example(kind: EventKind) -> Envelope {
    let id = "evt_0190bf5ce3807a6b9d2c8f3a2c91e047"
        .parse()
        .expect("this is an event id");
    let timestamp = "2024-06-15T14:32:00Z".parse().expect("this is a moment");
    Envelope::new(id, timestamp, EventData::example(kind))
}

fn data(kind: EventKind, contract: Contract) -> Value {
    let mut schema = match kind {
        EventKind::NewFeedback => schema_of::<NewFeedback>(contract),
        EventKind::RatingSubmitted => schema_of::<RatingSubmitted>(contract),
        EventKind::NpsCalculated => schema_of::<NpsCalculated>(contract),
        EventKind::WidgetDismissed => schema_of::<WidgetDismissed>(contract),
    };
    remove(&mut schema, "title");
    schema
}

fn described<T: JsonSchema>(description: &str) -> Value {
    let mut schema = json!({"description": description});
    if let (Value::Object(schema), Value::Object(of_type)) =
        (&mut schema, schema_of::<T>(Contract::Serialize))
    {
        schema.extend(of_type.into_iter().filter(|(key, _)| key != "title"));
    }
    schema
}

fn schema_of<T: JsonSchema>(contract: Contract) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
        settings.contract = contract;
    });
    SchemaGenerator::new(settings)
        .into_root_schema_for::<T>()
        .to_value()
}

fn properties(schema: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    schema
        .get_mut("properties")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(Map::iter_mut)
}

fn remove(schema: &mut Value, key: &str) -> Option<Value> {
    schema.as_object_mut()?.shift_remove(key)
}

fn take_text(schema: &mut Value, key: &str) -> String {
    match remove(schema, key) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}

fn contains(names: &Value, name: &str) -> bool {
    names
        .as_array()
        .is_some_and(|names| names.iter().any(|n| n == name))
}

/// Any of the four, each under its own name among the definitions.
impl JsonSchema for Envelope {
    fn schema_name() -> Cow<'static, str> {
        "Event".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let references = EventKind::ALL.map(|kind| {
            let name = kind.as_str();
            let definitions = generator.definitions_mut();
            definitions.insert(name.to_owned(), delivered(kind));
            let path = &generator.settings().definitions_path;
            json!({"$ref": format!("#{path}/{name}")})
        });
        json_schema!({
            "description": "An event, exactly as it is delivered.",
            "oneOf": references,
        })
    }
}

impl JsonSchema for Submission {
    fn schema_name() -> Cow<'static, str> {
        "submission".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::try_from(submission()).expect("an object is a schema")
    }
}
