//! `GET /api/v1/audit`: who did what, the newest first.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use domain::{AccountId, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use service::problem::Problem;

use super::asker::Asker;
use super::views::AuditView;
use super::{Api, cursor};
use crate::endpoints::Unavailable;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    /// Only of this account.
    account: Option<AccountId>,
    /// Not before this moment.
    since: Option<Timestamp>,
    /// Items on a page; 50 where it is missing.
    #[schemars(range(min = 1, max = cursor::LONGEST_PAGE))]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

pub(super) async fn list(
    State(api): State<Api>,
    asker: Asker,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let scope = asker.by.narrowed(query.account)?;
    let limit = cursor::limit(query.limit)?;
    let before = query.cursor.as_deref().map(cursor::read_older);
    let before = before.transpose()?;
    let audit = api.registry()?.audit();
    let found = audit
        .newest(&scope, query.since, before, limit + 1, |_| true)
        .ok_or(Unavailable::AuditLoading)?;
    let (found, next_cursor) = cursor::page(found, limit, |last| cursor::older(last.place));
    let page = AuditView {
        next_cursor,
        items: found.iter().map(|entry| &*entry.record).collect(),
    };
    Ok(Json(page).into_response())
}
