//! `/api/v1/endpoints`.

use axum::http::StatusCode;
use delivery::EXAMPLE_URL;
use serde_json::json;
use service::contract::{Answer, Content, Operation, Shape};

use super::super::bodies::{ChangeBody, CreateBody, MAX_BODY};
use super::super::cursor;
use super::super::endpoints::{AccountQuery, ListQuery};
use super::super::views::{EndpointView, PageView};
use super::{ENDPOINT_ID, ENDPOINTS};
use crate::endpoints::Refusal;

/// What `ETag` means.
const ETAG: &str = "The endpoint's version, for If-Match.";

pub(in crate::api) fn create(operation: Operation) -> Operation {
    let body = Content::json(Shape::read::<CreateBody>()).example(
        "endpoint",
        json!({
            "url": EXAMPLE_URL,
            "events": ["rating_submitted", "nps_calculated"],
            "filter": [{"field": "score", "operator": "at_most", "value": 2}],
            "description": "Customer care",
        }),
    );
    let made = Content::json(Shape::written::<EndpointView<'_>>());
    let made = made.example("endpoint", super::endpoint_with_secret());
    super::writes(super::from_table(operation))
        .named(ENDPOINTS, "createEndpoint", "Create an endpoint")
        .about(
            "Events that are accepted after the answer reach the endpoint. Its secret is in this \
             answer, and in those of the operations on secrets.",
        )
        .query::<AccountQuery>()
        .json_body(MAX_BODY, body)
        .answers(
            Answer::with(StatusCode::CREATED, "The endpoint, with its secret", made)
                .header("Location", "Its path.")
                .header("ETag", ETAG)
                .header("Cache-Control", "no-store: the answer holds a secret.")
                .keep(ENDPOINT_ID, "/id"),
        )
        .refuses(super::out_of_reach())
        .refuses(super::wrong_url())
        .refuses(Refusal::TooMany { limit: 10_000 })
}

pub(in crate::api) fn list(operation: Operation) -> Operation {
    let page = Content::json(Shape::written::<PageView<'_>>()).example(
        "page",
        json!({"items": [super::endpoint()], "next_cursor": null}),
    );
    super::from_table(operation)
        .named(ENDPOINTS, "listEndpoints", "List endpoints")
        .query::<ListQuery>()
        .answers(Answer::with(StatusCode::OK, "A page of endpoints", page))
        .refuses(super::out_of_reach())
        .refuses_all(cursor::limit(Some(0)).err())
        .refuses_all(cursor::read("?").err())
}

pub(in crate::api) fn get(operation: Operation) -> Operation {
    super::of_one(operation)
        .named(ENDPOINTS, "getEndpoint", "Show an endpoint")
        .answers(shown("The endpoint"))
}

pub(in crate::api) fn change(operation: Operation) -> Operation {
    let body = Content::json(Shape::read::<ChangeBody>())
        .example(
            "description",
            json!({"description": "Customer care, night shift"}),
        )
        .example("no_limit", json!({"max_per_second": null, "headers": {}}));
    super::changes(operation)
        .named(ENDPOINTS, "changeEndpoint", "Change an endpoint")
        .about("What is missing stays as it is; `filter` and `headers` are replaced as a whole.")
        .json_body(MAX_BODY, body)
        .answers(shown("The endpoint as it is now"))
}

pub(in crate::api) fn delete(operation: Operation) -> Operation {
    super::changes(operation)
        .named(ENDPOINTS, "deleteEndpoint", "Delete an endpoint")
        .about("Deliveries that wait for it are dropped.")
        .answers(Answer::empty(StatusCode::NO_CONTENT, "It is deleted"))
}

/// An endpoint with its ETag.
pub(super) fn shown(what: &'static str) -> Answer {
    let endpoint = Content::json(Shape::written::<EndpointView<'_>>());
    let endpoint = endpoint.example("endpoint", super::endpoint());
    Answer::with(StatusCode::OK, what, endpoint).header("ETag", ETAG)
}

/// The same with a secret that was made just now.
pub(super) fn shown_with_secret(what: &'static str) -> Answer {
    let endpoint = Content::json(Shape::written::<EndpointView<'_>>());
    let endpoint = endpoint.example("endpoint", super::endpoint_with_secret());
    Answer::with(StatusCode::OK, what, endpoint)
        .header("ETag", ETAG)
        .header("Cache-Control", "no-store: the answer holds a secret.")
}
