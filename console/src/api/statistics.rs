//! `/api/v1/statistics`: what happened by steps of time, and how endpoints do.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use domain::{AccountId, EndpointId, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use service::problem::Problem;

use super::asker::Asker;
use super::log_views::{EndpointFiguresView, EndpointsFiguresView, StatisticsView};
use super::{Api, cursor};
use crate::attempts::Range;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StatisticsQuery {
    /// Only of this account.
    account: Option<AccountId>,
    /// Only of this endpoint.
    endpoint: Option<EndpointId>,
    /// How far back.
    #[serde(default)]
    range: Range,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointsQuery {
    /// Only of this account.
    account: Option<AccountId>,
    /// How far back.
    #[serde(default)]
    range: Range,
    /// Items on a page; 50 where it is missing.
    #[schemars(range(min = 1, max = cursor::LONGEST_PAGE))]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Of all that the caller reaches, or of one endpoint.
pub(super) async fn show(
    State(api): State<Api>,
    asker: Asker,
    query: Result<Query<StatisticsQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let scope = crate::attempts::Scope::from(asker.by.narrowed(query.account)?);
    let registry = api.registry()?;
    let attempts = &api.shared.log.attempts;
    let (series, waiting) = tokio::join!(
        attempts.series(scope.clone(), query.endpoint, query.range, Timestamp::now()),
        attempts.waiting(scope, query.endpoint),
    );
    let (series, mut waiting) = (series?, waiting?);
    waiting.retain(|endpoint| registry.is_there(endpoint));
    let view = StatisticsView::new(&series, &waiting.by_tier(), attempts.progress());
    Ok(Json(view).into_response())
}

/// Of each endpoint, on the pages that `GET /api/v1/endpoints` has.
pub(super) async fn endpoints(
    State(api): State<Api>,
    asker: Asker,
    query: Result<Query<EndpointsQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let scope = asker.by.narrowed(query.account)?;
    let limit = cursor::limit(query.limit)?;
    let after = query.cursor.as_deref().map(cursor::read).transpose()?;
    let registry = api.registry()?;
    let found = registry.list(&scope, after.as_ref(), limit + 1, |_| true);
    let (found, next_cursor) = cursor::page(found, limit, |last| cursor::behind(&last.place()));
    let ids = found.iter().map(|found| found.endpoint.id).collect();
    let attempts = &api.shared.log.attempts;
    let figures = attempts.endpoints(scope.into(), ids, query.range, Timestamp::now());
    let figures = figures.await?;
    let view = EndpointsFiguresView {
        range: query.range,
        index: attempts.progress(),
        items: figures.into_iter().map(EndpointFiguresView::from).collect(),
        next_cursor,
    };
    Ok(Json(view).into_response())
}
