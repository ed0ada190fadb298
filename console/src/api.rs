//! The REST API, `/api/v1`: JSON over [`crate::endpoints`] and
//! [`crate::delivery_log`], and nothing that decides.

mod asker;
mod audit;
mod bodies;
mod changes;
pub(crate) mod cursor;
mod deliveries;
mod endpoints;
mod etag;
mod lifecycle;
mod log_views;
mod problems;
mod retry_policy;
mod statistics;
mod test_events;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};
use service::problem::{self, Problem};

use crate::endpoints::Registry;
use crate::requests;
use crate::shared::Shared;

/// What the handlers share. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    shared: Arc<Shared>,
}

impl Api {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn registry(&self) -> Result<&Registry, Problem> {
        Ok(self.shared.registry()?)
    }
}

/// The routes.
pub(crate) fn routes(api: Api) -> Router {
    let count = middleware::from_fn_with_state(api.shared.metrics.clone(), requests::count);
    let endpoints = Router::new()
        .route("/", get(endpoints::list).post(endpoints::create))
        .route(
            "/{id}",
            get(endpoints::get)
                .patch(endpoints::change)
                .delete(endpoints::delete),
        )
        .route("/{id}/pause", post(lifecycle::pause))
        .route("/{id}/resume", post(lifecycle::resume))
        .route("/{id}/rotate-secret", post(lifecycle::rotate_secret))
        .route("/{id}/secret", get(lifecycle::secret))
        .route("/{id}/test", post(test_events::send))
        .route("/{id}/test/preview", post(test_events::preview));
    let test_events = Router::new()
        .route("/", post(test_events::send_draft))
        .route("/preview", post(test_events::preview_draft));
    let deliveries = Router::new()
        .route("/", get(deliveries::list))
        .route("/{id}", get(deliveries::show))
        .route("/{id}/payload", get(deliveries::payload));
    Router::new()
        .nest("/api/v1/deliveries", deliveries)
        .nest("/api/v1/endpoints", endpoints)
        .nest("/api/v1/test-events", test_events)
        .route("/api/v1/audit", get(audit::list))
        .route("/api/v1/changes", get(changes::follow))
        .route("/api/v1/retry-policy", get(retry_policy::show))
        .route("/api/v1/statistics", get(statistics::show))
        .route("/api/v1/statistics/endpoints", get(statistics::endpoints))
        .method_not_allowed_fallback(problem::wrong_method)
        .route_layer(count)
        .with_state(api)
}
