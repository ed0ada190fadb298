//! What the API and the pages share.

use std::sync::{Arc, OnceLock};

use domain::Schedule;
use service::tokens::Tokens;

use crate::endpoints::{Registry, Unavailable};
use crate::metrics::Metrics;
use crate::test_event::Tester;

/// What the API and the pages share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) tokens: Tokens,
    /// Empty until the endpoint table was read to its end.
    registry: OnceLock<Arc<Registry>>,
    pub(crate) tester: Tester,
    pub(crate) schedule: Schedule,
    pub(crate) metrics: Metrics,
}

impl Shared {
    pub(crate) fn new(
        tokens: Tokens,
        tester: Tester,
        schedule: Schedule,
        metrics: Metrics,
    ) -> Self {
        Self {
            tokens,
            registry: OnceLock::new(),
            tester,
            schedule,
            metrics,
        }
    }

    /// From now on requests are answered; before that they get 503.
    pub(crate) fn open(&self, registry: Arc<Registry>) {
        if self.registry.set(registry).is_err() {
            tracing::error!("the endpoints were opened twice");
        }
    }

    pub(crate) fn registry(&self) -> Result<&Registry, Unavailable> {
        let registry = self.registry.get();
        registry.map(Arc::as_ref).ok_or(Unavailable::Loading)
    }
}
