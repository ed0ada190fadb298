//! `/api/v1/endpoints`: make, list, show, change, delete.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::AccountId;
use schemars::JsonSchema;
use serde::Deserialize;
use service::problem::Problem;

use super::asker::{Asker, Named};
use super::bodies::{self, ChangeBody, CreateBody};
use super::views::{EndpointView, PageView};
use super::{Api, cursor, etag};
use crate::endpoints::Found;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountQuery {
    /// Whose; operators name the account here or in the body.
    pub(super) account: Option<AccountId>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// Only of this account.
    account: Option<AccountId>,
    /// Items on a page; 50 where it is missing.
    #[schemars(range(min = 1, max = cursor::LONGEST_PAGE))]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

pub(super) async fn create(
    State(api): State<Api>,
    asker: Asker,
    query: Result<Query<AccountQuery>, QueryRejection>,
    body: Body,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let registry = api.registry()?;
    let body: CreateBody = bodies::read(body).await?;
    let named = body.account.clone().or(query.account);
    let created = registry.create(&asker.by, named, body.fields()).await?;
    let location = format!("/api/v1/endpoints/{}", created.found.endpoint.id);
    let headers = [
        (header::LOCATION, location),
        (header::ETAG, etag::of(created.found.endpoint.version)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    let view = Json(EndpointView::from(&created));
    Ok((StatusCode::CREATED, headers, view).into_response())
}

pub(super) async fn list(
    State(api): State<Api>,
    asker: Asker,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let scope = asker.by.narrowed(query.account)?;
    let limit = cursor::limit(query.limit)?;
    let after = query.cursor.as_deref().map(cursor::read).transpose()?;
    let registry = api.registry()?;
    let found = registry.list(&scope, after.as_ref(), limit + 1, |_| true);
    let (found, next_cursor) = cursor::page(found, limit, |last| cursor::behind(&last.place()));
    let page = PageView {
        next_cursor,
        items: found.iter().map(EndpointView::from).collect(),
    };
    Ok(Json(page).into_response())
}

pub(super) async fn get(
    State(api): State<Api>,
    asker: Asker,
    Named(id): Named,
) -> Result<Response, Problem> {
    let found = api.registry()?.get(&asker.by.scope, id).await?;
    Ok(shown(&found))
}

pub(super) async fn change(
    State(api): State<Api>,
    asker: Asker,
    Named(id): Named,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let registry = api.registry()?;
    let on = etag::if_match(&headers)?;
    let body: ChangeBody = bodies::read(body).await?;
    let found = registry.change(&asker.by, id, &on, body.fields()).await?;
    Ok(shown(&found))
}

pub(super) async fn delete(
    State(api): State<Api>,
    asker: Asker,
    Named(id): Named,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let on = etag::if_match(&headers)?;
    api.registry()?.delete(&asker.by, id, &on).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An endpoint with its ETag.
pub(super) fn shown(found: &Found) -> Response {
    let etag = [(header::ETAG, etag::of(found.endpoint.version))];
    (etag, Json(EndpointView::from(found))).into_response()
}
