//! The REST API, `/api/v1`: JSON over [`crate::endpoints`] and
//! [`crate::delivery_log`], and nothing that decides.

mod asker;
mod audit;
mod bodies;
mod changes;
mod contract;
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
use service::contract::{Operation, Routes};
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
    described()
        .into_router()
        .method_not_allowed_fallback(problem::wrong_method)
        .route_layer(count)
        .with_state(api)
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
