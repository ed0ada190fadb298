//! `/api/v1/endpoints/{id}/test`, `/api/v1/test-events`, and their previews.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use delivery::EXAMPLE_URL;
use domain::EventKind;
use serde_json::{Value, json};
use service::contract::{Answer, Content, Operation, Parameter, Shape};

use super::super::bodies::{DraftTestBody, MAX_BODY, TestBody};
use super::super::endpoints::AccountQuery;
use super::super::views::{RequestView, TestView};
use crate::actor::NotForAccount;
use crate::endpoints::Refusal;

const TEST_EVENTS: &str = "Test events";

/// What a test costs.
const COUNTED: &str = "Sends the event's example, signed, at once and once. An account may do \
                       so ten times a minute, over all its endpoints and what is none yet. A \
                       failed delivery is no error: the answer says what is wrong.";
const NOT_SENT: &str = "Signed as it would be, and not sent. It is not counted.";

pub(in crate::api) fn send(operation: Operation) -> Operation {
    traced(saved(operation))
        .named(
            TEST_EVENTS,
            "sendTestEvent",
            "Send a test event to an endpoint",
        )
        .about(COUNTED)
        .answers(ended())
        .refuses(too_many())
}

pub(in crate::api) fn preview(operation: Operation) -> Operation {
    traced(saved(operation))
        .named(
            TEST_EVENTS,
            "previewTestEvent",
            "Show what a test event would send",
        )
        .about(NOT_SENT)
        .answers(previewed())
        .refuses(super::wrong_url())
}

pub(in crate::api) fn send_draft(operation: Operation) -> Operation {
    traced(draft(operation))
        .named(
            TEST_EVENTS,
            "sendDraftTestEvent",
            "Send a test event before an endpoint is saved",
        )
        .about(COUNTED)
        .answers(ended())
        .refuses(too_many())
}

pub(in crate::api) fn preview_draft(operation: Operation) -> Operation {
    traced(draft(operation))
        .named(
            TEST_EVENTS,
            "previewDraftTestEvent",
            "Show what a test event would send before an endpoint is saved",
        )
        .about(NOT_SENT)
        .answers(previewed())
}

fn saved(operation: Operation) -> Operation {
    let body = Content::json(Shape::read::<TestBody>());
    let body = body.example("rating", json!({"event": EventKind::RatingSubmitted}));
    super::of_one(operation).json_body(MAX_BODY, body)
}

fn draft(operation: Operation) -> Operation {
    let body = Content::json(Shape::read::<DraftTestBody>()).example(
        "rating",
        json!({
            "url": EXAMPLE_URL,
            "event": EventKind::RatingSubmitted,
        }),
    );
    super::for_account_or_operator(operation)
        .query::<AccountQuery>()
        .json_body(MAX_BODY, body)
        .refuses(super::out_of_reach())
        .refuses(NotForAccount::Unnamed)
        .refuses(super::wrong_url())
}

/// The trace of whoever asks goes on in the delivery.
fn traced(operation: Operation) -> Operation {
    let trace = Parameter::header::<String>(
        "traceparent",
        "W3C Trace Context: the test event belongs to this trace.",
    );
    operation.takes(trace.example("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
}

fn too_many() -> Refusal {
    Refusal::TooManyTests {
        limit: 10,
        retry_after: 7,
    }
}

fn request() -> Value {
    let (headers, body) = delivery::example(EventKind::RatingSubmitted, true);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: BTreeMap<&str, String> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), text(value.as_bytes())))
        .collect();
    json!({"url": EXAMPLE_URL, "headers": headers, "body": text(&body)})
}

fn ended() -> Answer {
    let content = Content::json(Shape::written::<TestView>())
        .example(
            "delivered",
            json!({
                "delivered": true, "status": 200, "duration_ms": 84, "response_body": "ok",
                "reason": null, "cause": null, "diagnosis": null, "request": request(),
            }),
        )
        .example(
            "too_slow",
            json!({
                "delivered": false, "status": null, "duration_ms": 5001, "response_body": null,
                "reason": "timeout: no complete answer within 5 s", "cause": "timeout",
                "diagnosis": "too_slow", "request": request(),
            }),
        );
    Answer::with(StatusCode::OK, "How it ended", content)
}

fn previewed() -> Answer {
    let content = Content::json(Shape::written::<RequestView>()).example("request", request());
    Answer::with(StatusCode::OK, "The request that would go out", content)
}
