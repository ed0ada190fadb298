//! Counts requests.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use prometheus::IntGauge;

use super::Api;
use super::media::Media;

/// Counts a request by its kind and the answer's status; both are of few values.
pub(crate) async fn observe(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let _in_flight = InFlight::enter(&api.metrics.in_flight);
    let kind = Media::of(request.headers()).label();
    let response = next.run(request).await;
    let status = response.status();
    api.metrics
        .requests
        .with_label_values(&[kind, status.as_str()])
        .inc();
    response
}

/// Leaves the gauge also when the client closes the connection.
struct InFlight(IntGauge);

impl InFlight {
    fn enter(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
