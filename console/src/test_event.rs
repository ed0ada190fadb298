//! Test events: one signed delivery at once, by the same code as the
//! dispatcher's (`delivery`). It works for paused and disabled endpoints too.

use std::time::{Duration, Instant};

use bytes::Bytes;
use delivery::{Attempt, Connector, PreparedRequest, Refused, ToSign};
use domain::{Cause, Endpoint, EndpointId, Envelope, EventData, EventId, EventKind, Timestamp};

use crate::endpoints::{Refusal, Registry, Scope};
use crate::metrics::Metrics;
use crate::quota::Quota;

/// Sends test events.
#[derive(Debug)]
pub(crate) struct Tester {
    connector: Connector,
    quota: Quota,
    metrics: Metrics,
}

/// How a test event ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestResult {
    /// The endpoint answered with 2xx.
    pub(crate) delivered: bool,
    /// The status, where there was an answer.
    pub(crate) status: Option<u16>,
    /// How long it took.
    pub(crate) took: Duration,
    /// The start of the answer's body; `None` without one.
    pub(crate) response_body: Option<String>,
    /// `cause: text` of a failure.
    pub(crate) reason: Option<String>,
}

impl Tester {
    pub(crate) fn new(connector: Connector, per_minute: usize, metrics: Metrics) -> Self {
        Self {
            connector,
            quota: Quota::new(per_minute),
            metrics,
        }
    }

    /// Sends the example of `event` to an endpoint, and waits for the answer as
    /// long as a delivery would.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::TooManyTests`], [`Refusal::Sealed`],
    /// [`Refusal::Unavailable`]. A failed delivery is no error.
    pub(crate) async fn send(
        &self,
        registry: &Registry,
        scope: &Scope,
        id: EndpointId,
        event: EventKind,
        traceparent: Option<&str>,
    ) -> Result<TestResult, Refusal> {
        let found = registry.get(scope, id).await?;
        let endpoint = &*found.endpoint;
        let secrets = registry.secrets(endpoint)?;
        self.take(endpoint)?;
        let envelope = Envelope::new(
            EventId::generate(),
            Timestamp::now(),
            EventData::example(event),
        );
        let body = envelope.to_bytes().expect("an example is a short event");
        let body = Bytes::from(body);
        let request = ToSign {
            event,
            id: envelope.id(),
            attempt: 1,
            at: Timestamp::now(),
            body: &body,
            keys: &secrets.keys(),
            traceparent,
            test: true,
        };
        let attempt = self.attempt(endpoint, &request, body.clone()).await;
        let cause = match &attempt {
            Ok(attempt) => attempt.outcome.cause(),
            Err(_) => Some(Cause::ForbiddenAddress),
        };
        self.count(cause.map_or("delivered", Cause::as_str));
        Ok(match attempt {
            Ok(attempt) => TestResult::of(&attempt),
            Err(refused) => TestResult::refused(&refused),
        })
    }

    fn take(&self, endpoint: &Endpoint) -> Result<(), Refusal> {
        self.quota
            .take(&endpoint.account, Instant::now())
            .map_err(|wait| {
                self.count("limited");
                Refusal::TooManyTests {
                    limit: self.quota.limit(),
                    retry_after: wait.as_secs() + 1,
                }
            })
    }

    async fn attempt(
        &self,
        endpoint: &Endpoint,
        request: &ToSign<'_>,
        body: Bytes,
    ) -> Result<Attempt, Refused> {
        let target = self.connector.guard().check_url(&endpoint.url)?;
        let prepared = PreparedRequest::new(&endpoint.headers)?;
        let sent =
            self.connector
                .send_once(&target, |headers| prepared.sign(request, headers), body);
        Ok(sent.await)
    }

    /// How long an endpoint has for its answer.
    pub(crate) fn timeout(&self) -> Duration {
        self.connector.limits().timeout
    }

    fn count(&self, outcome: &str) {
        self.metrics.test_events.with_label_values(&[outcome]).inc();
    }
}

impl TestResult {
    fn of(attempt: &Attempt) -> Self {
        let start = &attempt.response_start;
        Self {
            delivered: attempt.outcome.is_success(),
            status: attempt.outcome.status(),
            took: attempt.took,
            response_body: (!start.is_empty()).then(|| String::from_utf8_lossy(start).into_owned()),
            reason: attempt.failure(),
        }
    }

    /// The guard's settings have become stricter since the endpoint was made.
    fn refused(refused: &Refused) -> Self {
        Self {
            delivered: false,
            status: None,
            took: Duration::ZERO,
            response_body: None,
            reason: Some(format!("{}: {refused}", Cause::ForbiddenAddress.as_str())),
        }
    }
}
