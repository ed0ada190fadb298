//! What an operation takes beside its body.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the path, between braces.
    Path,
    /// Behind the question mark.
    Query,
    /// In a header.
    Header,
}

/// One parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Where it stands.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// What it means, and what stands for it where it is missing.
    pub description: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it holds, as JSON Schema.
    pub schema: Map<String, Value>,
    /// What an answer may have [kept](super::Kept) for it.
    pub variable: Option<&'static str>,
}

impl Parameter {
    /// Part of the path; always there.
    #[must_use]
    pub fn path<T: JsonSchema>(name: &str, description: &str) -> Self {
        Self {
            required: true,
            ..Self::new::<T>(Place::Path, name, description)
        }
    }

    /// Of the query; may be missing.
    #[must_use]
    pub fn query<T: JsonSchema>(name: &str, description: &str) -> Self {
        Self::new::<T>(Place::Query, name, description)
    }

    /// A header; may be missing.
    #[must_use]
    pub fn header<T: JsonSchema>(name: &str, description: &str) -> Self {
        Self::new::<T>(Place::Header, name, description)
    }

    fn new<T: JsonSchema>(place: Place, name: &str, description: &str) -> Self {
        let mut schema = schema_of::<T>();
        schema.remove("title");
        schema.remove("description");
        Self {
            place,
            name: name.to_owned(),
            description: description.to_owned(),
            required: false,
            schema,
            variable: None,
        }
    }

    /// Each field of `T` is a parameter of the query.
    pub(super) fn of_query<T: JsonSchema>() -> Vec<Self> {
        let mut schema = schema_of::<T>();
        let required = schema.remove("required").unwrap_or_default();
        let Some(Value::Object(fields)) = schema.remove("properties") else {
            return Vec::new();
        };
        let field = |(name, schema): (String, Value)| {
            let mut schema = schema.as_object().cloned().unwrap_or_default();
            let description = schema.remove("description").unwrap_or_default();
            without_null(&mut schema);
            let names = required.as_array();
            Self {
                place: Place::Query,
                description: description.as_str().unwrap_or_default().to_owned(),
                required: names.is_some_and(|names| names.iter().any(|it| *it == name)),
                name,
                schema,
                variable: None,
            }
        };
        fields.into_iter().map(field).collect()
    }

    /// With a keyword of JSON Schema that says more than the type does.
    #[must_use]
    pub fn bounded(mut self, keyword: &str, value: impl Into<Value>) -> Self {
        self.schema.insert(keyword.to_owned(), value.into());
        self
    }

    /// With a value.
    #[must_use]
    pub fn example(self, example: impl Into<Value>) -> Self {
        self.bounded("examples", vec![example.into()])
    }

    /// An answer keeps its value under this name.
    #[must_use]
    pub fn kept_as(mut self, variable: &'static str) -> Self {
        self.variable = Some(variable);
        self
    }
}

/// What is missing is not there: a query has no `null`.
fn without_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|it| it != "null");
    }
    if let Some(Value::Array(choices)) = schema.remove("anyOf") {
        let choices = choices.into_iter().filter(|it| it["type"] != "null");
        schema.extend(choices.filter_map(|it| it.as_object().cloned()).flatten());
        schema.remove("description");
    }
}

/// The schema of a type as it is read, whole.
fn schema_of<T: JsonSchema>() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    let schema = settings.into_generator().into_root_schema_for::<T>();
    schema.as_object().cloned().unwrap_or_default()
}
