//! `/webhooks/failed`.

use axum::http::StatusCode;
use domain::{AccountId, DeadLetterReason, EndpointId, EventKind, Timestamp, schema};
use serde_json::{Value, json};
use service::contract::{Answer, Content, Operation, Parameter, Shape};
use service::problem::Problem;
use service::tokens::Role;

use super::super::export;
use super::super::failed::{Accepted, Counted, absent, not_moved, under_way};
use super::super::item::{Item, PageJson};
use super::super::query::{self, DEFAULT_LIMIT, MAX_LIMIT};
use super::{DELIVERY, DELIVERY_ID, ENDPOINT};

const FAILED: &str = "Failed deliveries";
/// What later requests take of an entry.
const FAILED_ID: &str = "failed_id";
/// Another one, for a request that ends it.
const OTHER_FAILED_ID: &str = "other_failed_id";

const ABOUT_LIST: &str = "\
What was given up after the last attempt, and is neither sent again nor discarded.\n\n\
Who keeps `next_cursor` and asks with it again sees each failure once: also on the last page it \
leads to what fails later (with `order=oldest`). A page may hold fewer than `limit` entries when \
their payloads are long.";

pub(in crate::api) fn list(operation: Operation) -> Operation {
    let page = Content::json(Shape::written::<PageJson<'_>>())
        .example("page", json!({"items": [entry()], "next_cursor": "4711"}));
    let limit = Parameter::query::<u32>("limit", "Entries on a page; 100 where it is missing.");
    let cursor = Parameter::query::<String>("cursor", "`next_cursor` of the page before.");
    let order = Parameter::query::<String>("order", "Which come first; `oldest` where missing.");
    let limit = limit.bounded("minimum", 1).bounded("maximum", MAX_LIMIT);
    filtered(super::from_list(operation))
        .named(FAILED, "listFailed", "List failed deliveries")
        .about(ABOUT_LIST)
        .takes(limit.example(DEFAULT_LIMIT))
        .takes(cursor.bounded("pattern", "^[0-9]+$"))
        .takes(order.bounded("enum", vec!["oldest", "newest"]))
        .answers(
            Answer::with(StatusCode::OK, "A page of the list", page)
                .keep(FAILED_ID, "/items/0/id")
                .keep(OTHER_FAILED_ID, "/items/1/id"),
        )
}

pub(in crate::api) fn count(operation: Operation) -> Operation {
    let count = Content::json(Shape::written::<Counted>()).example("some", json!({"count": 3}));
    filtered(super::from_list(operation))
        .named(FAILED, "countFailed", "Count failed deliveries")
        .answers(Answer::with(StatusCode::OK, "How many match", count))
}

pub(in crate::api) fn export(operation: Operation) -> Operation {
    let lines = Content::ndjson(Shape::written::<Item<'_>>()).example("lines", json!([entry()]));
    filtered(super::from_list(operation))
        .named(FAILED, "exportFailed", "Export failed deliveries")
        .about(
            "All that match, one a line, the oldest first. A body that is cut off is not whole: \
             ask again. Eight exports run at once.",
        )
        .answers(
            Answer::with(StatusCode::OK, "One delivery a line", lines)
                .header("Content-Disposition", "A name for the file."),
        )
        .refuses(export::too_many())
}

pub(in crate::api) fn one(operation: Operation) -> Operation {
    let shown = Content::json(Shape::written::<Item<'_>>()).example("delivery", entry());
    of_entry(operation, FAILED_ID)
        .named(FAILED, "getFailed", "Show a failed delivery")
        .answers(Answer::with(StatusCode::OK, "The delivery", shown))
}

pub(in crate::api) fn discard(operation: Operation) -> Operation {
    super::moves(of_entry(operation, OTHER_FAILED_ID))
        .named(FAILED, "discardFailed", "Discard a failed delivery")
        .about("It cannot be brought back.")
        .answers(Answer::empty(StatusCode::NO_CONTENT, "It is off the list"))
        .refuses(under_way())
}

pub(in crate::api) fn resend(operation: Operation) -> Operation {
    super::moves(of_entry(operation, FAILED_ID))
        .named(FAILED, "resendFailed", "Send a failed delivery again")
        .about(
            "The schedule starts again, with the same bytes and the same event id. It is off the \
             list, and back on it if it fails again.",
        )
        .answers(resent())
        .refuses(under_way())
        .refuses(not_moved("the record is no delivery; DELETE discards it"))
}

/// 202 of a delivery that is sent again.
pub(super) fn resent() -> Answer {
    let content = Content::json(Shape::written::<Accepted<'_>>());
    let content = content.example("resent", json!({"id": DELIVERY}));
    Answer::with(StatusCode::ACCEPTED, "It is sent again", content).keep(DELIVERY_ID, "/id")
}

fn of_entry(operation: Operation, kept: &'static str) -> Operation {
    super::of_one::<String>(operation, "The delivery's id.", DELIVERY, kept).refuses(absent())
}

/// It takes what chooses entries, and no other parameter.
fn filtered(operation: Operation) -> Operation {
    let wrong = [("reason".to_owned(), "unknown".to_owned())];
    let refused: Option<Problem> = query::filter(&wrong, Role::Account).err();
    operation
        .takes(Parameter::query::<EndpointId>("endpoint", "For this endpoint.").example(ENDPOINT))
        .takes(Parameter::query::<EventKind>("event", "Of this event."))
        .takes(Parameter::query::<DeadLetterReason>(
            "reason",
            "Given up for this reason.",
        ))
        .takes(Parameter::query::<Timestamp>(
            "since",
            "Failed at this moment or later.",
        ))
        .takes(Parameter::query::<Timestamp>(
            "until",
            "Failed before this moment.",
        ))
        .takes(Parameter::query::<AccountId>(
            "account",
            "Of this account; only operators may say it.",
        ))
        .refuses_all(refused)
}

/// A failed delivery.
fn entry() -> Value {
    let event = schema::example(EventKind::RatingSubmitted);
    json!({
        "id": DELIVERY,
        "event_id": event.id(),
        "event": EventKind::RatingSubmitted,
        "endpoint_id": ENDPOINT,
        "reason": "attempts_exhausted",
        "attempts": 6,
        "last_status": 500,
        "last_error": "status: 500 Internal Server Error",
        "first_attempt_at": "2024-06-15T14:32:00Z",
        "failed_at": "2024-06-15T21:44:21Z",
        "payload": event,
    })
}
