//! `/api/v1/endpoints/{id}/...`: pause, resume, and the secret.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use service::problem::Problem;

use super::asker::{Asker, Named};
use super::endpoints::shown;
use super::views::{EndpointView, SecretView};
use super::{Api, etag};

/// Secrets stay out of every cache on the way.
const NO_STORE: (header::HeaderName, &str) = (header::CACHE_CONTROL, "no-store");

pub(super) async fn pause(
    State(api): State<Api>,
    asker: Asker,
    Named(id): Named,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let on = etag::if_match(&headers)?;
    let found = api.registry()?.pause(&asker.by, id, &on).await?;
    Ok(shown(&found))
}

pub(super) async fn resume(
    State(api): State<Api>,
    asker: Asker,
    Named(id): Named,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let on = etag::if_match(&headers)?;
    let found = api.registry()?.resume(&asker.by, id, &on).await?;
    Ok(shown(&found))
}

pub(super) async fn rotate_secret(
    State(api): State<Api>,
    asker: Asker,
    Named(id): Named,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let on = etag::if_match(&headers)?;
    let created = api.registry()?.rotate_secret(&asker.by, id, &on).await?;
    let etag = [(header::ETAG, etag::of(created.found.endpoint.version))];
    Ok(([NO_STORE], etag, Json(EndpointView::from(&created))).into_response())
}

pub(super) async fn secret(
    State(api): State<Api>,
    asker: Asker,
    Named(id): Named,
) -> Result<Response, Problem> {
    let secrets = api.registry()?.reveal(&asker.by, id).await?;
    Ok(([NO_STORE], Json(SecretView::from(&secrets))).into_response())
}
