//! The REST API, `/api/v1`: JSON over [`crate::endpoints`] and
//! [`crate::delivery_log`], and nothing that decides.

mod asker;
mod audit;
mod bodies;
mod changes;
mod contract;
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
use domain::Schedule;
use service::contract::{Operation, Routes};
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
    described().into_router().route_layer(count).with_state(api)
}

/// What the API promises.
#[must_use]
pub fn operations() -> Vec<Operation> {
    described().operations()
}

fn described() -> Routes<Api> {
    const ENDPOINTS: &str = "/api/v1/endpoints";
    const ENDPOINT: &str = "/api/v1/endpoints/{id}";
    Routes::new()
        .get(ENDPOINTS, endpoints::list, contract::endpoints::list)
        .post(ENDPOINTS, endpoints::create, contract::endpoints::create)
        .get(ENDPOINT, endpoints::get, contract::endpoints::get)
        .patch(ENDPOINT, endpoints::change, contract::endpoints::change)
        .delete(ENDPOINT, endpoints::delete, contract::endpoints::delete)
        .post(
            "/api/v1/endpoints/{id}/pause",
            lifecycle::pause,
            contract::lifecycle::pause,
        )
        .post(
            "/api/v1/endpoints/{id}/resume",
            lifecycle::resume,
            contract::lifecycle::resume,
        )
        .post(
            "/api/v1/endpoints/{id}/rotate-secret",
            lifecycle::rotate_secret,
            contract::lifecycle::rotate_secret,
        )
        .get(
            "/api/v1/endpoints/{id}/secret",
            lifecycle::secret,
            contract::lifecycle::secret,
        )
        .post(
            "/api/v1/endpoints/{id}/test",
            test_events::send,
            contract::test_events::send,
        )
        .post(
            "/api/v1/endpoints/{id}/test/preview",
            test_events::preview,
            contract::test_events::preview,
        )
        .post(
            "/api/v1/test-events",
            test_events::send_draft,
            contract::test_events::send_draft,
        )
        .post(
            "/api/v1/test-events/preview",
            test_events::preview_draft,
            contract::test_events::preview_draft,
        )
        .get(
            "/api/v1/deliveries",
            deliveries::list,
            contract::deliveries::list,
        )
        .get(
            "/api/v1/deliveries/{id}",
            deliveries::show,
            contract::deliveries::show,
        )
        .get(
            "/api/v1/deliveries/{id}/payload",
            deliveries::payload,
            contract::deliveries::payload,
        )
        .get(
            "/api/v1/changes",
            changes::follow,
            contract::deliveries::follow,
        )
        .get(
            "/api/v1/statistics",
            statistics::show,
            contract::statistics::show,
        )
        .get(
            "/api/v1/statistics/endpoints",
            statistics::endpoints,
            contract::statistics::endpoints,
        )
        .get("/api/v1/audit", audit::list, contract::audit::list)
        .get(
            "/api/v1/retry-policy",
            retry_policy::show,
            contract::retry_policy::show,
        )
}
