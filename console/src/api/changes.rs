//! `GET /api/v1/changes`: tells as server-sent events that something has changed.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use service::problem::Problem;

use super::Api;
use super::asker::Asker;
use super::endpoints::AccountQuery;
use crate::change_stream::{self, TooMany};

/// Seconds after which one may have ended.
const RETRY: u64 = 30;

pub(super) async fn follow(
    State(api): State<Api>,
    asker: Asker,
    query: Result<Query<AccountQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let scope = asker.by.narrowed(query.account)?;
    change_stream::follow(&api.shared, scope).map_err(|TooMany| too_many())
}

pub(super) fn too_many() -> Problem {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    Problem::new(status, "too-many-streams", TooMany.to_string()).retry_after(RETRY)
}
