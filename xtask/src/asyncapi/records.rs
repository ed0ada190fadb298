//! The kinds of records, each with an example.

use domain::{
    AfterAttempt, AttemptRecord, AuditAction, AuditRecord, DeliveryId, Envelope, EventKind, schema,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use service::contract::Shape;

use super::headers;
use crate::components::Components;

const FIRST: &str = "2024-06-15T14:32:00Z";
/// The endpoint of examples.
const ENDPOINT: &str = "ep_4f0c1e9a7d2b43f58a6e90c3b7d15f28";

/// A kind of record.
pub(super) struct Record {
    /// Its name in the document.
    pub(super) name: &'static str,
    title: String,
    summary: String,
    key: Value,
    payload: Payload,
    /// The headers' schema and their example.
    headers: Option<(Value, Value)>,
}

enum Payload {
    /// One event, by its name in the schemas.
    Event(EventKind),
    /// A type, and an example of it.
    Json(Shape, Value),
    /// No value: a tombstone.
    Nothing,
}

impl Record {
    /// The message object.
    pub(super) fn message(self, components: &mut Components) -> Value {
        let (payload, example) = match self.payload {
            Payload::Event(kind) => (components.event(kind), json!(schema::example(kind))),
            Payload::Json(shape, example) => (components.schema(&shape), example),
            Payload::Nothing => (json!({"type": "null"}), Value::Null),
        };
        let mut message = json!({
            "title": self.title,
            "summary": self.summary,
            "payload": payload,
            "bindings": {"kafka": {"key": self.key, "bindingVersion": "0.5.0"}},
        });
        let mut shown = json!({"payload": example});
        if let Some((schema, example)) = self.headers {
            message["headers"] = schema;
            shown["headers"] = example;
        }
        if !shown["payload"].is_null() {
            message["examples"] = json!([shown]);
        }
        message
    }
}

pub(super) fn events() -> Vec<Record> {
    let record = |kind: EventKind| Record {
        name: kind.as_str(),
        title: kind.to_string(),
        summary: schema::description(kind),
        key: json!({
            "description": "The customer, hashed; without one the event.",
            "type": "string",
            "pattern": "^[0-9a-f]{32}$",
        }),
        payload: Payload::Event(kind),
        headers: Some(headers::of_event(kind)),
    };
    EventKind::ALL.map(record).into()
}

pub(super) fn attempt() -> Record {
    let delivery = delivery(EventKind::RatingSubmitted);
    let example = AttemptRecord {
        delivery,
        account: "shop".parse().expect("this is an account"),
        event: EventKind::RatingSubmitted,
        attempt: 1,
        at: FIRST.parse().expect("this is a moment"),
        duration_ms: 84,
        status: Some(503),
        error: Some("status: 503 Service Unavailable".to_owned()),
        response: Some("be right back".to_owned()),
        after: AfterAttempt::Retry {
            due_at: "2024-06-15T14:32:15.084Z"
                .parse()
                .expect("this is a moment"),
            tier: "15s".parse().expect("this is a tier"),
        },
        topic: "feedback.events".into(),
        partition: 3,
        offset: 90210,
    };
    json_record(
        "attempt",
        "One attempt, or a step without one",
        &example,
        "The delivery's id.",
    )
}

pub(super) fn audit() -> Record {
    let example = AuditRecord {
        at: FIRST.parse().expect("this is a moment"),
        account: "shop".parse().ok(),
        token: "shop-backend".to_owned(),
        action: AuditAction::EndpointChanged,
        subject: ENDPOINT.to_owned(),
        detail: Some("url, events".to_owned()),
    };
    let key = "The account; empty where there is none.";
    json_record("audit_entry", "One thing that was done", &example, key)
}

/// What the failed list is made of.
pub(super) fn dead_letters() -> Vec<Record> {
    let kind = EventKind::RatingSubmitted;
    let key = json!({
        "description": "The delivery's id; of a record that cannot be read topic.partition.offset.",
        "type": "string",
    });
    vec![
        Record {
            name: "failed_delivery",
            title: "A delivery that was given up".to_owned(),
            summary: "Its value are the event's bytes. With the reason `undecodable` it is a \
                      record that could not be read: value and headers are as they were found."
                .to_owned(),
            key: key.clone(),
            payload: Payload::Json(Shape::written::<Envelope>(), json!(schema::example(kind))),
            headers: Some(headers::of_dead_letter(&delivery(kind))),
        },
        Record {
            name: "left_the_list",
            title: "A delivery that left the failed list".to_owned(),
            summary: "A tombstone: it is sent again, or was discarded.".to_owned(),
            key,
            payload: Payload::Nothing,
            headers: None,
        },
    ]
}

fn json_record<T: JsonSchema + Serialize>(
    name: &'static str,
    title: &str,
    example: &T,
    key: &str,
) -> Record {
    Record {
        name,
        title: title.to_owned(),
        summary: format!("{title}."),
        key: json!({"description": key, "type": "string"}),
        payload: Payload::Json(Shape::written::<T>(), json!(example)),
        headers: None,
    }
}

fn delivery(kind: EventKind) -> DeliveryId {
    DeliveryId {
        event: schema::example(kind).id(),
        endpoint: ENDPOINT.parse().expect("this is an endpoint's id"),
    }
}
