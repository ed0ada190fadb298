//! What waits, tier by tier, as `waiting.html` shows it.

use domain::EndpointId;

use crate::actor::Scope;
use crate::attempts::{AtTier, AttemptsError};
use crate::web::{Failure, Pages};

/// What waits now.
pub(super) struct Waits {
    pub(super) tiers: Vec<AtTier>,
    pub(super) total: u64,
}

impl Waits {
    /// Of all of the scope or of one endpoint; `None` while there is no index.
    pub(super) async fn of(
        pages: &Pages,
        scope: &Scope,
        endpoint: Option<EndpointId>,
    ) -> Result<Option<Self>, Failure> {
        let registry = pages.registry()?;
        let attempts = &pages.shared().log.attempts;
        let waiting = attempts.waiting(scope.clone().into(), endpoint).await;
        Ok(if_there(waiting)?.map(|mut waiting| {
            waiting.retain(|endpoint| registry.is_there(endpoint));
            let tiers = waiting.by_tier();
            let total = tiers.iter().map(|at| at.deliveries).sum();
            Self { tiers, total }
        }))
    }

    /// How much of what waits is at a tier, of a hundred.
    pub(super) fn share(&self, at: &AtTier) -> u64 {
        at.deliveries * 100 / self.total.max(1)
    }
}

/// An answer of the index; `None` while there is no index.
pub(super) fn if_there<T>(answer: Result<T, AttemptsError>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(AttemptsError::Away) => Ok(None),
        Err(error @ AttemptsError::Index(_)) => Err(error.into()),
    }
}
