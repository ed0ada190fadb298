//! `/webhooks/failed`: what is on the list, and one entry off it.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use domain::JobAction;
use schemars::JsonSchema;
use serde::Serialize;
use service::problem::Problem;

use super::{Allowed, Api, Id, Parameters, item, json, not_written, query};
use crate::index::Part;
use crate::moves::{NotMoved, Order};

/// A page ends before its payloads are longer than this together.
const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;

pub(super) async fn list(
    State(api): State<Api>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let Allowed { caller, scope } = api.allow(&headers)?;
    let Query(parameters) = parameters?;
    let query = query::list(&parameters, caller.role)?;
    let list = api.list()?;
    if let Some(cursor) = query.cursor {
        list.check_cursor(cursor).map_err(query::beyond_the_end)?;
    }
    let part: Part = query.part(MAX_PAGE_BYTES);
    let page = list.reader().page(scope, query.filter, part).await;
    let page = page.map_err(|error| api.broken(error))?;
    Ok(json(StatusCode::OK, &item::page(&page, caller.role)))
}

/// How many entries there are.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Count")]
pub(super) struct Counted {
    /// How many.
    count: u64,
}

pub(super) async fn count(
    State(api): State<Api>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let Allowed { caller, scope } = api.allow(&headers)?;
    let Query(parameters) = parameters?;
    let filter = query::filter(&parameters, caller.role)?;
    let counted = api.list()?.reader().count(scope, filter).await;
    let count = counted.map_err(|error| api.broken(error))?.entries;
    Ok(json(StatusCode::OK, &Counted { count }))
}

pub(super) async fn one(
    State(api): State<Api>,
    headers: HeaderMap,
    id: Id,
) -> Result<Response, Problem> {
    let Allowed { caller, scope } = api.allow(&headers)?;
    let Path(id) = id?;
    let found = api.list()?.reader().find(scope, id).await;
    let letter = found
        .map_err(|error| api.broken(error))?
        .ok_or_else(absent)?;
    Ok(json(StatusCode::OK, &item::of(&letter, caller.role)))
}

pub(super) async fn discard(
    State(api): State<Api>,
    headers: HeaderMap,
    id: Id,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    take_off(&api, &headers, id, JobAction::Discard).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Also for a delivery whose endpoint was deleted meanwhile: the dispatcher, which
/// knows endpoints, puts it on the list again.
pub(super) async fn resend(
    State(api): State<Api>,
    headers: HeaderMap,
    id: Id,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    take_off(&api, &headers, id.clone(), JobAction::Resend).await?;
    Ok(accepted(&id))
}

/// A delivery that is sent again.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Resent")]
pub(super) struct Accepted<'a> {
    /// Its id, the same as before.
    id: &'a str,
}

/// 202 of a delivery that is sent again.
pub(super) fn accepted(id: &str) -> Response {
    json(StatusCode::ACCEPTED, &Accepted { id })
}

async fn take_off(
    api: &Api,
    headers: &HeaderMap,
    id: String,
    action: JobAction,
) -> Result<(), Problem> {
    let Allowed { caller, scope } = api.allow(headers)?;
    let order = Order {
        scope,
        token: caller.token_id,
        id,
        action,
        instead: None,
    };
    let moved = api.list()?.moves().one(order).await;
    moved.map_err(|error| refused(api, error))
}

/// Why a delivery was not moved.
pub(super) fn refused(api: &Api, error: NotMoved) -> Problem {
    match error {
        NotMoved::NotLive => absent(),
        NotMoved::Poison(_) => not_moved(format!("{error}; DELETE discards it")),
        NotMoved::UnderWay => under_way(),
        NotMoved::Index(error) => api.broken(error),
        NotMoved::Kafka(error) => {
            tracing::warn!(%error, "a delivery was not moved");
            not_written(&error)
        }
    }
}

/// 409.
pub(super) fn not_moved(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::CONFLICT, "not-moved", detail)
}

pub(super) fn under_way() -> Problem {
    let why = NotMoved::UnderWay;
    not_moved(format!(
        "{why}: if that request succeeds, it is off the list"
    ))
}

pub(super) fn absent() -> Problem {
    Problem::not_found("there is no such entry in the failed list: GET /webhooks/failed shows all")
}
