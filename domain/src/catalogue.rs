//! The event catalogue: what each event tells, read from the schema that is
//! generated from its type. For pages and documents.

use serde_json::Value;

use crate::{DataField, Envelope, EventKind, schema};

/// All that there is to know of one event.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogueEntry {
    /// Which event.
    pub event: EventKind,
    /// What it is, in one sentence. Names stand between backticks.
    pub description: String,
    /// What its `data` carries, in the order of its bytes.
    pub fields: Vec<CatalogueField>,
    /// The JSON Schema of a delivery's body.
    pub schema: Value,
    /// A delivery's body.
    pub example: Envelope,
}

/// A field of an event's `data`. It is always there; see [`CatalogueField::nullable`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueField {
    /// Its name.
    pub field: DataField,
    /// What stands there.
    pub kind: FieldKind,
    /// Whether it may be `null`, and be missing where a shop hands the event in.
    pub nullable: bool,
    /// What it means. Names stand between backticks.
    pub description: String,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// A text that is not empty.
    Text,
    /// A whole number within these bounds.
    WholeNumber {
        /// The smallest.
        from: u64,
        /// The greatest.
        to: u64,
    },
    /// One of these words.
    OneOf(Vec<String>),
}

/// The four events, in the order of the product page.
///
/// # Panics
/// Never: a test reads all that is generated.
#[must_use]
pub fn catalogue() -> [CatalogueEntry; 4] {
    EventKind::ALL.map(entry)
}

fn entry(event: EventKind) -> CatalogueEntry {
    let schema = schema::delivered(event);
    let data = &schema["properties"]["data"]["properties"];
    let fields = data.as_object().expect("data has properties");
    CatalogueEntry {
        event,
        description: schema::description(event),
        fields: fields
            .iter()
            .map(|(name, schema)| field(name, schema))
            .collect(),
        example: schema::example(event),
        schema,
    }
}

fn field(name: &str, schema: &Value) -> CatalogueField {
    let types = &schema["type"];
    let types = types
        .as_array()
        .map_or_else(|| std::slice::from_ref(types), Vec::as_slice);
    let bound = |key: &str| schema[key].as_u64().expect("a number has bounds");
    let kind = if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().filter_map(Value::as_str);
        FieldKind::OneOf(words.map(str::to_owned).collect())
    } else if types.contains(&Value::from("integer")) {
        let (from, to) = (bound("minimum"), bound("maximum"));
        FieldKind::WholeNumber { from, to }
    } else {
        FieldKind::Text
    };
    let description = schema["description"].as_str().unwrap_or_default();
    CatalogueField {
        field: DataField::parse(name).expect("every field of an event is a DataField"),
        kind,
        nullable: types.contains(&Value::from("null")),
        description: description.to_owned(),
    }
}
