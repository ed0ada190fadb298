//! The REST API, `/api/v1`: JSON over [`crate::endpoints`] and
//! [`crate::delivery_log`], and nothing that decides.

mod asker;
mod audit;
mod bodies;
mod changes;
mod cursor;
mod deliveries;
mod endpoints;
mod etag;
mod lifecycle;
mod log_views;
mod problems;
mod requests;
mod retry_policy;
mod statistics;
mod test_events;
mod views;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};
use domain::Schedule;
use service::problem::Problem;
use service::tokens::Tokens;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::delivery_log::DeliveryLog;
use crate::endpoints::{Registry, Unavailable};
use crate::metrics::Metrics;
use crate::test_event::Tester;

/// What the handlers share. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    tokens: Tokens,
    /// Empty until the endpoint table was read to its end.
    registry: OnceLock<Arc<Registry>>,
    tester: Tester,
    schedule: Schedule,
    log: DeliveryLog,
    /// One permit for each client that follows changes.
    streams: Arc<Semaphore>,
    /// Ends what would never end by itself.
    stop: CancellationToken,
    metrics: Metrics,
}

impl Api {
    pub(crate) fn new(
        tokens: Tokens,
        tester: Tester,
        schedule: Schedule,
        log: DeliveryLog,
        metrics: Metrics,
        stop: CancellationToken,
    ) -> Self {
        let shared = Shared {
            tokens,
            registry: OnceLock::new(),
            tester,
            schedule,
            log,
            streams: Arc::new(Semaphore::new(changes::AT_ONCE)),
            stop,
            metrics,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// From now on requests are answered; before that they get 503.
    pub(crate) fn open(&self, registry: Arc<Registry>) {
        if self.shared.registry.set(registry).is_err() {
            tracing::error!("the API was opened twice");
        }
    }

    fn registry(&self) -> Result<&Registry, Problem> {
        let registry = self.shared.registry.get();
        registry
            .map(Arc::as_ref)
            .ok_or_else(|| Unavailable::Loading.into())
    }
}

/// The routes.
pub(crate) fn routes(api: Api) -> Router {
    let count = middleware::from_fn_with_state(api.clone(), requests::count);
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
        .route_layer(count)
        .with_state(api)
}
