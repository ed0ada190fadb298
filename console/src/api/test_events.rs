//! `POST /api/v1/endpoints/{id}/test` and `POST /api/v1/test-events`, each with a
//! `/preview` that sends nothing.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use service::problem::Problem;

use super::Api;
use super::asker::{Asker, Named};
use super::bodies::{self, DraftTestBody, TestBody};
use super::endpoints::AccountQuery;
use super::views::{RequestView, TestView};
use crate::test_event::Wish;

pub(super) async fn send(
    State(api): State<Api>,
    asker: Asker,
    Named(id): Named,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<TestView>, Problem> {
    let registry = api.registry()?;
    let TestBody { event } = bodies::read(body).await?;
    let traceparent = traceparent(&headers);
    let wish = Wish { event, traceparent };
    let scope = &asker.by.scope;
    let result = api.shared.tester.send(registry, scope, id, wish).await?;
    Ok(Json(result.into()))
}

pub(super) async fn preview(
    State(api): State<Api>,
    asker: Asker,
    Named(id): Named,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<RequestView>, Problem> {
    let registry = api.registry()?;
    let TestBody { event } = bodies::read(body).await?;
    let traceparent = traceparent(&headers);
    let wish = Wish { event, traceparent };
    let scope = &asker.by.scope;
    let request = api.shared.tester.preview(registry, scope, id, wish).await?;
    Ok(Json(request.into()))
}

/// Before an endpoint is saved.
pub(super) async fn send_draft(
    State(api): State<Api>,
    asker: Asker,
    query: Result<Query<AccountQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<TestView>, Problem> {
    let Query(query) = query?;
    let body: DraftTestBody = bodies::read(body).await?;
    let named = body.account.clone().or(query.account);
    let (event, draft) = body.parts();
    let traceparent = traceparent(&headers);
    let wish = Wish { event, traceparent };
    let tester = &api.shared.tester;
    let result = tester.send_draft(&asker.by, named, draft, wish).await?;
    Ok(Json(result.into()))
}

pub(super) async fn preview_draft(
    State(api): State<Api>,
    asker: Asker,
    query: Result<Query<AccountQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<RequestView>, Problem> {
    let Query(query) = query?;
    let body: DraftTestBody = bodies::read(body).await?;
    // Nothing is counted for it; still nobody asks in another one's name.
    asker.by.narrowed(body.account.clone().or(query.account))?;
    let (event, draft) = body.parts();
    let traceparent = traceparent(&headers);
    let wish = Wish { event, traceparent };
    let request = api.shared.tester.preview_draft(draft, wish)?;
    Ok(Json(request.into()))
}

fn traceparent(headers: &HeaderMap) -> Option<&str> {
    headers.get("traceparent")?.to_str().ok()
}
