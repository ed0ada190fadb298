//! The headers of records, as the code writes them.

use domain::record::{Coordinates, DeliveryHeaders, EventHeaders, Headers, LastError, header};
use domain::{Cause, DeadLetterReason, DeliveryId, EventKind, Timestamp, schema};
use serde_json::{Map, Value, json};

/// Schema and example of an event's headers.
pub(super) fn of_event(kind: EventKind) -> (Value, Value) {
    let least = event(kind, None);
    let all = event(kind, Some(TRACE.to_owned()));
    described(&least.write(), &all.write())
}

/// Schema and example of the headers on the dead-letter topic.
pub(super) fn of_dead_letter(delivery: &DeliveryId) -> (Value, Value) {
    let kind = EventKind::RatingSubmitted;
    let first_at = schema::example(kind).timestamp();
    let reason = Some(DeadLetterReason::AttemptsExhausted);
    let least = DeliveryHeaders {
        reason,
        ..DeliveryHeaders::first(delivery.endpoint, first_at, None)
    };
    let all = DeliveryHeaders {
        attempt: 6,
        due_at: Some(Timestamp::from_millis(first_at.millis() + 25_935_000)),
        last_status: Some(500),
        last_error: Some(LastError {
            cause: Cause::Status,
            text: "500 Internal Server Error".to_owned(),
        }),
        source: Some(Coordinates {
            topic: "feedback.events".into(),
            partition: 3,
            offset: 90210,
        }),
        ..least
    };
    described(
        &least.write(&event(kind, None)),
        &all.write(&event(kind, Some(TRACE.to_owned()))),
    )
}

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

fn event(kind: EventKind, traceparent: Option<String>) -> EventHeaders {
    let example = schema::example(kind);
    EventHeaders {
        account: "shop".parse().expect("this is an account"),
        id: example.id(),
        kind,
        time: example.timestamp(),
        traceparent,
    }
}

/// `least` are always there.
fn described(least: &Headers, all: &Headers) -> (Value, Value) {
    let properties: Map<String, Value> = all
        .iter()
        .map(|(name, _)| {
            let (description, pattern) = meaning(name);
            let mut schema = json!({"description": description, "type": "string"});
            if let Some(pattern) = pattern {
                schema["pattern"] = pattern.into();
            }
            ((*name).to_owned(), schema)
        })
        .collect();
    let required: Vec<&str> = least.iter().map(|(name, _)| *name).collect();
    let example: Map<String, Value> = all
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
        .collect();
    let schema = json!({"type": "object", "properties": properties, "required": required});
    (schema, example.into())
}

/// # Panics
/// For a header that is not described here.
fn meaning(name: &str) -> (&'static str, Option<&'static str>) {
    const NUMBER: Option<&str> = Some("^[0-9]+$");
    match name {
        header::ACCOUNT => ("Whose it is.", Some("^[A-Za-z0-9_.-]{1,64}$")),
        header::CE_ID => ("CloudEvents: the event's id.", Some("^evt_[0-9a-f]{32}$")),
        header::CE_TYPE => ("CloudEvents: which event.", None),
        header::CE_SOURCE => ("CloudEvents: who published it.", None),
        header::CE_TIME => ("CloudEvents: when it happened (RFC 3339, UTC).", None),
        header::CE_SPECVERSION => ("CloudEvents: its version.", None),
        header::TRACEPARENT => ("W3C Trace Context of the request that handed it in.", None),
        header::ENDPOINT => ("The endpoint's id.", Some("^ep_[0-9a-f]{32}$")),
        header::ATTEMPT => ("How many attempts were made.", NUMBER),
        header::FIRST_AT => ("When it was first due, in milliseconds since 1970.", NUMBER),
        header::DUE_AT => ("When it was last due, in milliseconds since 1970.", NUMBER),
        header::DEFERRALS => ("How often it was put off without an attempt.", NUMBER),
        header::LAST_STATUS => ("The status of the last answer.", Some("^[0-9]{3}$")),
        header::LAST_ERROR => ("Why the last attempt failed: `cause: text`.", None),
        header::REASON => ("Why it was given up.", Some("^[a-z_]+$")),
        header::SOURCE => ("Where the event stands: topic/partition/offset.", None),
        other => panic!("the header {other:?} is not described"),
    }
}
