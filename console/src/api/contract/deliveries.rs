//! `/api/v1/deliveries` and `/api/v1/changes`.

use axum::http::StatusCode;
use domain::{DeliveryId, Envelope, EventKind, schema};
use kafka::LookupError;
use serde_json::{Value, json};
use service::contract::{Answer, Content, Operation, Parameter, Shape};

use super::super::changes;
use super::super::cursor;
use super::super::deliveries::{DeliveriesQuery, absent, read_cursor};
use super::super::endpoints::AccountQuery;
use super::super::log_views::{DeliveriesView, DeliveryView};
use super::{DELIVERY, DELIVERY_ID};
use crate::delivery_log::NoPayload;

const DELIVERIES: &str = "Deliveries";

pub(in crate::api) fn list(operation: Operation) -> Operation {
    let page = json!({"items": [summary()], "next_cursor": null, "index": {"state": "current"}});
    let page = Content::json(Shape::written::<DeliveriesView<'_>>()).example("page", page);
    super::from_index(operation)
        .named(
            DELIVERIES,
            "listDeliveries",
            "List what became of deliveries",
        )
        .about("Of the last seven days, the latest first.")
        .query::<DeliveriesQuery>()
        .answers(
            Answer::with(StatusCode::OK, "A page of deliveries", page)
                .keep(DELIVERY_ID, "/items/0/id"),
        )
        .refuses(super::out_of_reach())
        .refuses_all(cursor::limit(Some(0)).err())
        .refuses_all(read_cursor("?").err())
}

pub(in crate::api) fn show(operation: Operation) -> Operation {
    let mut delivery = summary();
    delivery["next_attempt"] = Value::Null;
    delivery["is_cut"] = false.into();
    delivery["records"] = json!([{
        "delivery": DELIVERY, "account": "shop", "event": EventKind::RatingSubmitted,
        "attempt": 1, "at": "2024-06-15T14:32:00Z", "duration_ms": 84, "status": 200,
        "error": null, "response": "ok", "next": "delivered",
        "topic": "feedback.events", "partition": 3, "offset": 90210,
    }]);
    let shown = Content::json(Shape::written::<DeliveryView<'_>>()).example("delivered", delivery);
    of_one(operation)
        .named(
            DELIVERIES,
            "getDelivery",
            "Show a delivery with its time line",
        )
        .answers(Answer::with(StatusCode::OK, "The delivery", shown))
}

pub(in crate::api) fn payload(operation: Operation) -> Operation {
    let event = json!(schema::example(EventKind::RatingSubmitted));
    let payload = Content::json(Shape::written::<Envelope>()).example("rating", event);
    of_one(operation)
        .named(DELIVERIES, "getPayload", "Show what a delivery carries")
        .about("Byte for byte as it is delivered, read from Kafka.")
        .answers(
            Answer::with(StatusCode::OK, "The event", payload)
                .header("Cache-Control", "no-store: the answer holds personal data."),
        )
        .refuses(NoPayload::PlaceUnknown)
        .refuses(NoPayload::Absent)
        .refuses(NoPayload::Lookup(LookupError::Expired))
        .refuses(NoPayload::Lookup(LookupError::Busy))
}

pub(in crate::api) fn follow(operation: Operation) -> Operation {
    let events = Content::of("text/event-stream", Shape::written::<String>());
    let events = events.example("change", "event: change\ndata: 4711\n\n".into());
    super::for_account_or_operator(operation)
        .named(
            DELIVERIES,
            "followChanges",
            "Be told when something has changed",
        )
        .about(
            "Server-sent events `change` with a number, the first one at once: then ask again. \
             The stream ends after ten minutes; connect anew.",
        )
        .query::<AccountQuery>()
        .answers(Answer::with(
            StatusCode::OK,
            "Changes, as they come",
            events,
        ))
        .refuses(super::out_of_reach())
        .refuses(changes::too_many())
}

fn of_one(operation: Operation) -> Operation {
    let id = "The delivery's id: `<event id>.<endpoint id>`.";
    let id = Parameter::path::<DeliveryId>("id", id).example(DELIVERY);
    super::from_index(operation)
        .takes(id.kept_as(DELIVERY_ID))
        .refuses(absent())
}

fn summary() -> Value {
    json!({
        "id": DELIVERY, "account": "shop", "event": EventKind::RatingSubmitted, "state": "delivered",
        "next": "delivered", "attempts": 1, "last_status": 200, "last_error": null,
        "first_at": "2024-06-15T14:32:00Z", "last_at": "2024-06-15T14:32:00Z",
    })
}
