//! `/api/v1/statistics`.

use axum::http::StatusCode;
use serde_json::{Value, json};
use service::contract::{Answer, Content, Operation, Shape};

use super::super::cursor;
use super::super::log_views::{EndpointsFiguresView, StatisticsView};
use super::super::statistics::{EndpointsQuery, StatisticsQuery};
use super::ENDPOINT;
use crate::endpoints::Unavailable;

const STATISTICS: &str = "Statistics";

pub(in crate::api) fn show(operation: Operation) -> Operation {
    let mut point = figures();
    point["start"] = "2024-06-15T14:32:00Z".into();
    let shown = json!({
        "range": "1h", "step_seconds": 60, "total": figures(), "points": [point],
        "waiting": [{"tier": "15s", "deliveries": 3, "next_due": "2024-06-15T14:32:15Z"}],
        "index": {"state": "current"},
    });
    let shown = Content::json(Shape::written::<StatisticsView>()).example("hour", shown);
    super::from_index(operation)
        .named(
            STATISTICS,
            "showStatistics",
            "Show what happened by steps of time",
        )
        .about("Of all endpoints, or of one.")
        .query::<StatisticsQuery>()
        .answers(Answer::with(StatusCode::OK, "The figures", shown))
        .refuses(super::out_of_reach())
        .refuses(Unavailable::Loading)
}

pub(in crate::api) fn endpoints(operation: Operation) -> Operation {
    let item = json!({
        "endpoint": ENDPOINT, "attempts": 120, "delivered": 118, "retry": 2, "dead_letter": 0,
        "dead_letter_without_attempt": 0, "deferred": 0, "success_rate": 0.98, "waiting": 2,
        "last_attempt": "2024-06-15T14:32:00Z", "last_success": "2024-06-15T14:31:58Z",
        "failing_since": "2024-06-15T14:32:00Z",
    });
    let page = json!({
        "range": "1h", "items": [item], "next_cursor": null, "index": {"state": "current"},
    });
    let page = Content::json(Shape::written::<EndpointsFiguresView>()).example("page", page);
    super::from_index(operation)
        .named(
            STATISTICS,
            "listEndpointFigures",
            "Show how each endpoint does",
        )
        .query::<EndpointsQuery>()
        .answers(Answer::with(StatusCode::OK, "A page of endpoints", page))
        .refuses(super::out_of_reach())
        .refuses_all(cursor::limit(Some(0)).err())
        .refuses_all(cursor::read("?").err())
        .refuses(Unavailable::Loading)
}

fn figures() -> Value {
    json!({
        "attempts": 120, "delivered": 118, "retry": 2, "dead_letter": 0,
        "dead_letter_without_attempt": 0, "deferred": 0, "success_rate": 0.98,
        "p50_ms": 42, "p95_ms": 180,
    })
}
