//! Filters as JSON Schema: which operators and values fit which field.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{Condition, DataField, Filter, MAX_CONDITIONS, Operator, condition::MAX_TEXT};

impl JsonSchema for Filter {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Filter".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": generator.subschema_for::<Condition>(),
            "maxItems": MAX_CONDITIONS,
        })
    }
}

impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A condition on a field of the events' data.",
            "type": "object",
            "properties": {
                "field": generator.subschema_for::<DataField>(),
                "operator": generator.subschema_for::<Operator>(),
                "value": {
                    "description": "What the field is compared with.",
                    "type": ["string", "integer"],
                },
            },
            "required": ["field", "operator", "value"],
            "additionalProperties": false,
            "oneOf": kinds(),
            "examples": [{"field": "score", "operator": "at_most", "value": 2}],
        })
    }
}

/// Fields that are compared alike, together.
fn kinds() -> Vec<Value> {
    let mut kinds: Vec<(&[Operator], Vec<DataField>)> = Vec::new();
    for field in DataField::ALL {
        match kinds.iter_mut().find(|(by, _)| *by == field.operators()) {
            Some((_, fields)) => fields.push(field),
            None => kinds.push((field.operators(), vec![field])),
        }
    }
    let kind = |(operators, fields): (&[Operator], Vec<DataField>)| {
        let value = if operators.contains(&Operator::AtMost) {
            json!({"type": "integer", "minimum": 0})
        } else {
            json!({"type": "string", "minLength": 1, "maxLength": MAX_TEXT})
        };
        json!({"properties": {
            "field": {"enum": fields},
            "operator": {"enum": operators},
            "value": value,
        }, "required": ["field"]})
    };
    kinds.into_iter().map(kind).collect()
}
