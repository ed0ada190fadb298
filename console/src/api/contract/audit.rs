//! `/api/v1/audit`.

use axum::http::StatusCode;
use serde_json::json;
use service::contract::{Answer, Content, Operation, Shape};

use super::super::audit::AuditQuery;
use super::super::cursor;
use super::super::views::AuditView;
use super::ENDPOINT;
use crate::endpoints::Unavailable;

pub(in crate::api) fn list(operation: Operation) -> Operation {
    let page = Content::json(Shape::written::<AuditView<'_>>()).example(
        "page",
        json!({"items": [{
            "at": "2024-06-15T14:32:00Z", "account": "shop", "token": "shop-backend",
            "action": "endpoint_changed", "subject": ENDPOINT, "detail": "url, events",
        }], "next_cursor": null}),
    );
    super::from_table(operation)
        .named("Audit", "listAudit", "List who did what")
        .about("Every change to endpoints, every look at a secret, every re-send and discard.")
        .query::<AuditQuery>()
        .answers(Answer::with(StatusCode::OK, "A page of the audit", page))
        .refuses(super::out_of_reach())
        .refuses_all(cursor::limit(Some(0)).err())
        .refuses_all(cursor::read_older("?").err())
        .refuses(Unavailable::AuditLoading)
}
