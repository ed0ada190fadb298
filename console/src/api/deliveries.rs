//! `/api/v1/deliveries`: what became of deliveries, and what they carry.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use domain::{AccountId, DeliveryId, EndpointId, EventId, EventKind, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use service::problem::{Problem, ProblemError};

use super::asker::Asker;
use super::log_views::{DeliveriesView, DeliveryView};
use super::{Api, cursor};
use crate::attempts::{Cursor, Delivery, DeliveryState, Filter};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeliveriesQuery {
    /// Only of this account.
    account: Option<AccountId>,
    /// Of the event with this id.
    event_id: Option<EventId>,
    /// For this endpoint.
    endpoint: Option<EndpointId>,
    /// Of this event.
    event: Option<EventKind>,
    /// How they stand.
    state: Option<DeliveryState>,
    /// Last attempted at this moment or later.
    since: Option<Timestamp>,
    /// Last attempted before this moment.
    until: Option<Timestamp>,
    /// Items on a page; 50 where it is missing.
    #[schemars(range(min = 1, max = cursor::LONGEST_PAGE))]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The delivery that the path names. What is no id is no delivery either: 404.
#[derive(Debug)]
pub(super) struct NamedDelivery(DeliveryId);

impl FromRequestParts<Api> for NamedDelivery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, api).await;
        path.ok()
            .and_then(|Path(id)| id.parse().ok())
            .map(Self)
            .ok_or_else(absent)
    }
}

pub(super) async fn list(
    State(api): State<Api>,
    asker: Asker,
    query: Result<Query<DeliveriesQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let scope = asker.by.narrowed(query.account)?;
    let limit = cursor::limit(query.limit)?;
    let after = query.cursor.as_deref().map(read_cursor).transpose()?;
    let filter = Filter {
        event: query.event_id,
        endpoint: query.endpoint,
        kind: query.event,
        state: query.state,
        since: query.since,
        until: query.until,
    };
    let attempts = &api.shared.log.attempts;
    let page = attempts
        .deliveries(scope.into(), filter, after, limit)
        .await?;
    Ok(Json(DeliveriesView::new(&page, attempts.progress())).into_response())
}

pub(super) async fn show(
    State(api): State<Api>,
    asker: Asker,
    NamedDelivery(id): NamedDelivery,
) -> Result<Response, Problem> {
    let delivery = find(&api, asker, id).await?;
    Ok(Json(DeliveryView::from(&delivery)).into_response())
}

/// The envelope, byte by byte as it is delivered.
pub(super) async fn payload(
    State(api): State<Api>,
    asker: Asker,
    NamedDelivery(id): NamedDelivery,
) -> Result<Response, Problem> {
    let delivery = find(&api, asker, id).await?;
    let payload = api.shared.log.payload(&delivery).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // It holds personal data.
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, payload).into_response())
}

async fn find(api: &Api, asker: Asker, id: DeliveryId) -> Result<Delivery, Problem> {
    let scope = asker.by.scope.into();
    let found = api.shared.log.attempts.delivery(scope, id).await?;
    found.ok_or_else(absent)
}

pub(super) fn absent() -> Problem {
    Problem::not_found("there is no such delivery in the last seven days")
}

pub(super) fn read_cursor(cursor: &str) -> Result<Cursor, Problem> {
    cursor.parse().map_err(|_| {
        cursor::parameter(
            ProblemError::new("cursor", "it is no cursor of this list")
                .allowed("next_cursor of a page before, unchanged"),
        )
    })
}
