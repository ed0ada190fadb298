//! The admin port: `/livez`, `/readyz` and `/metrics`. It has no tokens: keep it inside.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{Registry, TextEncoder};

use crate::health::Health;
pub use crate::http::{bind, serve};
use crate::problem::{self, Problem};

/// `GET /livez` and `/readyz`: 200 `ok`, or 503 with one line for each thing that is missing.
/// `GET /metrics`: the registry in Prometheus' text format.
pub fn routes(health: Health, registry: Registry) -> Router {
    let live = health.clone();
    let router = Router::new()
        .route(
            "/livez",
            get(async move || answer(live.live().map_err(|reason| vec![reason]))),
        )
        .route("/readyz", get(async move || answer(health.ready())))
        .route("/metrics", get(async move || metrics(&registry)));
    problem::with_fallbacks(router)
}

fn answer(state: Result<(), Vec<String>>) -> Response {
    match state {
        Ok(()) => (StatusCode::OK, "ok\n").into_response(),
        Err(missing) => {
            let mut text = missing.join("\n");
            text.push('\n');
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
    }
}

fn metrics(registry: &Registry) -> Response {
    match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            problem::ABOUT_BLANK,
            format!("the metrics cannot be encoded: {error}"),
        )
        .into_response(),
    }
}
