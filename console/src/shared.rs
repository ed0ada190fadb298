//! What the API and the pages share.

use std::sync::{Arc, OnceLock};

use domain::Schedule;
use service::tokens::Tokens;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::delivery_log::DeliveryLog;
use crate::endpoints::{Registry, Unavailable};
use crate::failed_list::FailedList;
use crate::metrics::Metrics;
use crate::portal::PublicUrls;
use crate::test_event::Tester;

/// So many clients follow changes at once: each holds a connection, of which the
/// port has 8192.
pub(crate) const STREAMS: usize = 1024;

/// What the API and the pages share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) tokens: Tokens,
    /// Empty until the endpoint table was read to its end.
    pub(crate) registry: OnceLock<Arc<Registry>>,
    pub(crate) tester: Tester,
    pub(crate) schedule: Schedule,
    pub(crate) log: DeliveryLog,
    pub(crate) failed: FailedList,
    /// What the documents of the API name.
    pub(crate) public_urls: PublicUrls,
    /// One permit for each client that follows changes.
    pub(crate) streams: Arc<Semaphore>,
    /// Ends what would never end by itself.
    pub(crate) stop: CancellationToken,
    pub(crate) metrics: Metrics,
}

impl Shared {
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
