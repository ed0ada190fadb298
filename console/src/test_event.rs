//! Test events: one signed delivery at once, by the same code as the
//! dispatcher's (`delivery`), to an endpoint or to what may become one. It works
//! for paused and disabled endpoints too.

mod addressee;
mod diagnosis;
mod outgoing;
mod result;

use std::time::{Duration, Instant};

use delivery::Connector;
use domain::{AccountId, EndpointId, EventKind};

pub(crate) use addressee::Draft;
pub(crate) use diagnosis::Diagnosis;
pub(crate) use outgoing::ShownRequest;
pub(crate) use result::TestResult;

use crate::actor::{Actor, Scope};
use crate::endpoints::{Mistake, Refusal, Registry, Wrong};
use crate::metrics::Metrics;
use crate::quota::Quota;
use addressee::Addressee;
use outgoing::Outgoing;

/// Sends test events.
#[derive(Debug)]
pub(crate) struct Tester {
    connector: Connector,
    quota: Quota,
    metrics: Metrics,
}

/// What a test event is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish<'a> {
    /// Whose example is sent.
    pub(crate) event: EventKind,
    /// W3C Trace Context of whoever asks.
    pub(crate) traceparent: Option<&'a str>,
}

impl Tester {
    pub(crate) fn new(connector: Connector, per_minute: usize, metrics: Metrics) -> Self {
        Self {
            connector,
            quota: Quota::new(per_minute),
            metrics,
        }
    }

    /// Sends a test event to an endpoint, and waits for the answer as long as a
    /// delivery would.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::TooManyTests`], [`Refusal::Sealed`],
    /// [`Refusal::Unavailable`]. A failed delivery is no error.
    pub(crate) async fn send(
        &self,
        registry: &Registry,
        scope: &Scope,
        id: EndpointId,
        wish: Wish<'_>,
    ) -> Result<TestResult, Refusal> {
        let found = registry.get(scope, id).await?;
        let endpoint = &*found.endpoint;
        let secrets = registry.secrets(endpoint)?;
        self.take(&endpoint.account)?;
        let addressee = Addressee::saved(self.connector.guard(), endpoint, &secrets);
        Ok(match addressee {
            Ok(addressee) => self.exchange(&addressee, wish).await,
            Err(refused) => self.counted(TestResult::refused(&refused)),
        })
    }

    /// Sends a test event to what is no endpoint yet, as [`Tester::send`] does.
    /// It is counted for the account of `by` or the one that is named.
    ///
    /// # Errors
    /// [`Refusal::Account`], [`Refusal::Invalid`] for what could not become an
    /// endpoint either, [`Refusal::TooManyTests`].
    pub(crate) async fn send_draft(
        &self,
        by: &Actor,
        named: Option<AccountId>,
        draft: Draft,
        wish: Wish<'_>,
    ) -> Result<TestResult, Refusal> {
        let account = by.account(named)?;
        let addressee = Addressee::draft(self.connector.guard(), draft);
        let addressee = addressee.map_err(Refusal::Invalid)?;
        self.take(&account)?;
        Ok(self.exchange(&addressee, wish).await)
    }

    /// What [`Tester::send`] would send now. Nothing is sent, nor counted.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::Sealed`], [`Refusal::Unavailable`], and
    /// [`Refusal::Invalid`] where the guard refuses the endpoint's URL by now.
    pub(crate) async fn preview(
        &self,
        registry: &Registry,
        scope: &Scope,
        id: EndpointId,
        wish: Wish<'_>,
    ) -> Result<ShownRequest, Refusal> {
        let found = registry.get(scope, id).await?;
        let secrets = registry.secrets(&found.endpoint)?;
        let addressee = Addressee::saved(self.connector.guard(), &found.endpoint, &secrets);
        let addressee = addressee.map_err(|refused| {
            Refusal::Invalid(vec![Mistake::new("$.url", Wrong::Refused(refused))])
        })?;
        Ok(Outgoing::new(&addressee, wish).shown())
    }

    /// What [`Tester::send_draft`] would send now. Nothing is sent, nor counted.
    ///
    /// # Errors
    /// [`Refusal::Invalid`].
    pub(crate) fn preview_draft(
        &self,
        draft: Draft,
        wish: Wish<'_>,
    ) -> Result<ShownRequest, Refusal> {
        let addressee = Addressee::draft(self.connector.guard(), draft);
        let addressee = addressee.map_err(Refusal::Invalid)?;
        Ok(Outgoing::new(&addressee, wish).shown())
    }

    /// How long an endpoint has for its answer.
    pub(crate) fn timeout(&self) -> Duration {
        self.connector.limits().timeout
    }

    fn take(&self, account: &AccountId) -> Result<(), Refusal> {
        self.quota.take(account, Instant::now()).map_err(|wait| {
            self.count("limited");
            Refusal::TooManyTests {
                limit: self.quota.limit(),
                retry_after: wait.as_secs() + 1,
            }
        })
    }

    async fn exchange(&self, addressee: &Addressee, wish: Wish<'_>) -> TestResult {
        let outgoing = Outgoing::new(addressee, wish);
        let attempt = outgoing.send(&self.connector).await;
        self.counted(TestResult::of(&attempt, outgoing.shown()))
    }

    fn counted(&self, result: TestResult) -> TestResult {
        self.count(result.cause.map_or("delivered", domain::Cause::as_str));
        result
    }

    fn count(&self, outcome: &str) {
        self.metrics.test_events.with_label_values(&[outcome]).inc();
    }
}
