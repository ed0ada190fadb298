//! `POST /api/v1/endpoints/{id}/test`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use service::problem::Problem;

use super::Api;
use super::asker::{Asker, Named};
use super::bodies::{self, TestBody};
use super::views::TestView;

pub(super) async fn send(
    State(api): State<Api>,
    asker: Asker,
    Named(id): Named,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<TestView>, Problem> {
    let registry = api.registry()?;
    let TestBody { event } = bodies::read(body).await?;
    let traceparent = headers
        .get("traceparent")
        .and_then(|trace| trace.to_str().ok());
    let result = api
        .shared
        .tester
        .send(registry, &asker.scope, id, event, traceparent)
        .await?;
    Ok(Json(result.into()))
}
