//! Cross-origin requests (Fetch standard): the widget posts from the shops'
//! pages and must be able to read the answer, errors too.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use service::problem::Problem;

use super::Api;

/// The longest that Chromium keeps a preflight, in seconds.
pub(super) const MAX_AGE: &str = "7200";

/// Lets scripts of the ingest tokens' origins read the answer.
pub(crate) async fn allow(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let origin = known_origin(&api, request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("retry-after"),
        );
    }
    response
}

/// `OPTIONS /v1/events`: asked by browsers before a post with a token in a header.
pub(crate) async fn preflight(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if known_origin(&api, &headers).is_none() {
        return Err(unknown_origin());
    }
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type, idempotency-key, traceparent",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    Ok((StatusCode::NO_CONTENT, allowed).into_response())
}

pub(super) fn unknown_origin() -> Problem {
    Problem::forbidden(
        "a browser may post from the origins of an ingest token only (auth.tokens, origins)",
    )
}

fn known_origin(api: &Api, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let known = origin.to_str().is_ok_and(|it| api.origins.allow(it));
    known.then(|| origin.clone())
}
