//! `POST /v1/events`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::middleware::from_fn_with_state;
use service::contract::{Operation, Routes};
use service::problem;
use service::tokens::Tokens;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::intake::Intake;
use crate::metrics::Metrics;
use crate::rate::Rate;

mod access;
mod admit;
mod contract;
mod cors;
mod media;
mod ndjson;
mod observe;
mod origins;
mod post_events;
mod refusals;

pub(crate) use origins::Origins;

/// Kibibytes of bodies that are read or answered at once.
const BODIES_KIB: usize = 64 * 1024;

/// What the handlers share.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) tokens: Tokens,
    pub(crate) origins: Origins,
    pub(crate) intake: Intake,
    pub(crate) rate: Rate,
    pub(crate) metrics: Metrics,
    /// Whether the topic was seen once; before that nothing is published.
    pub(crate) topic_seen: Arc<AtomicBool>,
    /// Requests are answered to their end here, also when the client has left:
    /// who repeats one with its key must meet the first.
    pub(crate) answers: TaskTracker,
    bodies: Arc<Semaphore>,
}

impl Api {
    pub(crate) fn new(
        tokens: Tokens,
        origins: Origins,
        intake: Intake,
        rate: Rate,
        metrics: Metrics,
    ) -> Self {
        Self {
            tokens,
            origins,
            intake,
            rate,
            metrics,
            topic_seen: Arc::default(),
            answers: TaskTracker::new(),
            bodies: Arc::new(Semaphore::new(BODIES_KIB)),
        }
    }
}

/// What the API promises.
#[must_use]
pub fn operations() -> Vec<Operation> {
    described().operations()
}

fn described() -> Routes<Arc<Api>> {
    const EVENTS: &str = "/v1/events";
    Routes::new()
        .post(EVENTS, post_events::post_events, contract::post_events)
        .options(EVENTS, cors::preflight, contract::preflight)
}

pub(crate) fn routes(api: Arc<Api>) -> Router {
    problem::with_fallbacks(described().into_router())
        .layer(from_fn_with_state(Arc::clone(&api), cors::allow))
        .layer(from_fn_with_state(Arc::clone(&api), observe::observe))
        .with_state(api)
}
