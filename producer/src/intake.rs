//! An event from its valid form to the acknowledgement, once per idempotency key.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::{AccountId, EventId, EventKind, InputError, Submission};
use service::traces::{Span, TraceContext};
use tokio::time::timeout_at;

use crate::idempotency::{BodyHash, Claim, Keys, Outcome, Seen};
use crate::metrics::Metrics;
use crate::publisher::{NewEvent, Publication, PublishError, Publisher};
use crate::traces::{self, EventTraces};

/// How long a request may wait for room on the way to Kafka: a burst passes in
/// less, an outage is told soon.
pub(crate) const ROOM_TIME: Duration = Duration::from_secs(1);

/// Where requests hand their events in.
#[derive(Debug)]
pub(crate) struct Intake {
    publisher: Publisher,
    keys: Keys,
    traces: EventTraces,
    metrics: Metrics,
    /// Whether Kafka has refused an event since it took one: said once.
    refusing: AtomicBool,
}

/// A valid event.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) account: AccountId,
    pub(crate) submission: Submission,
    /// The caller's trace, where there is one.
    pub(crate) trace: Option<TraceContext>,
    pub(crate) keyed: Option<Keyed>,
}

/// What an `Idempotency-Key` stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keyed {
    pub(crate) id: EventId,
    pub(crate) body: BodyHash,
}

/// How far an event has come.
#[derive(Debug)]
pub(crate) enum Started {
    /// On its way to Kafka.
    Flying(Flight),
    /// Another request with the same key is ahead.
    Behind(Outcome, Box<Incoming>, Keyed),
    /// Published before.
    Known(EventId),
    /// Not accepted.
    Refused(Refusal),
}

#[derive(Debug)]
pub(crate) struct Flight {
    publication: Publication,
    claim: Option<Claim>,
    kind: EventKind,
    since: Instant,
    span: Option<Span>,
}

/// Why an event is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is none.
    Event(InputError),
    /// Its key stands for another body.
    KeyReused,
    /// Kafka has not acknowledged it.
    NotPublished {
        error: kafka::PublishError,
        /// Whether it came with an `Idempotency-Key`.
        keyed: bool,
    },
}

impl Intake {
    pub(crate) fn new(
        publisher: Publisher,
        keys: Keys,
        traces: EventTraces,
        metrics: Metrics,
    ) -> Self {
        Self {
            publisher,
            keys,
            traces,
            metrics,
            refusing: AtomicBool::new(false),
        }
    }

    pub(crate) fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Sends an event on its way, unless its key is known. Waits for room
    /// until `deadline` at most.
    pub(crate) async fn start(&self, incoming: Incoming, deadline: Instant) -> Started {
        let now = Instant::now();
        let claim = match incoming.keyed {
            None => None,
            Some(keyed) => match self.keys.claim(keyed.id, keyed.body, now) {
                Seen::First(claim) => Some(claim),
                Seen::InFlight(outcome) => {
                    return Started::Behind(outcome, Box::new(incoming), keyed);
                }
                Seen::Published => return Started::Known(keyed.id),
                Seen::OtherBody => return Started::Refused(Refusal::KeyReused),
            },
        };
        let kind = incoming.submission.data.kind();
        let id = incoming.keyed.map_or_else(EventId::generate, |key| key.id);
        let (trace, span) = self.traces.begin(incoming.trace, id, kind);
        let event = NewEvent {
            account: incoming.account,
            id,
            submission: incoming.submission,
            traceparent: Some(trace.to_string()),
        };
        let started = timeout_at(deadline.into(), self.publisher.start(event)).await;
        match started.unwrap_or(Err(kafka::PublishError::Full.into())) {
            Ok(publication) => Started::Flying(Flight {
                publication,
                claim,
                kind,
                since: now,
                span,
            }),
            Err(error) => {
                let refusal = refusal(error, claim.is_some());
                traces::end(span, Some(refusal.reason()));
                Started::Refused(refusal)
            }
        }
    }

    /// Waits for what becomes of an event and counts it. An event whose key
    /// another request failed to publish is tried once more from here.
    pub(crate) async fn finish(&self, mut started: Started) -> Result<EventId, Refusal> {
        let result = loop {
            started = match started {
                Started::Refused(refusal) => break Err(refusal),
                Started::Known(id) => {
                    self.metrics.repeated.inc();
                    break Ok(id);
                }
                Started::Flying(flight) => break self.land(flight).await,
                Started::Behind(outcome, incoming, keyed) => {
                    if outcome.published().await {
                        Started::Known(keyed.id)
                    } else {
                        self.start(*incoming, Instant::now() + ROOM_TIME).await
                    }
                }
            };
        };
        if let Err(refusal) = &result {
            self.count(refusal);
        }
        result
    }

    async fn land(&self, flight: Flight) -> Result<EventId, Refusal> {
        let Flight {
            publication,
            claim,
            kind,
            since,
            span,
        } = flight;
        match publication.await {
            Ok(id) => {
                self.metrics.accept(kind, since.elapsed());
                self.refusing.store(false, Ordering::Relaxed);
                if let Some(claim) = claim {
                    claim.published();
                }
                traces::end(span, None);
                Ok(id)
            }
            Err(error) => {
                let refusal = refusal(error, claim.is_some());
                traces::end(span, Some(refusal.reason()));
                Err(refusal)
            }
        }
    }

    fn count(&self, refusal: &Refusal) {
        if let Refusal::NotPublished { error, .. } = refusal
            && let kafka::PublishError::Refused { .. } = error
            && !self.refusing.swap(true, Ordering::Relaxed)
        {
            tracing::error!(%error, "Kafka refuses events");
        }
        let reason = refusal.reason();
        self.metrics.refused.with_label_values(&[reason]).inc();
    }
}

impl Refusal {
    /// In metrics and traces.
    const fn reason(&self) -> &'static str {
        match self {
            Self::Event(_) => "invalid",
            Self::KeyReused => "key_reused",
            Self::NotPublished { error, .. } => match error {
                kafka::PublishError::Full => "no_room",
                kafka::PublishError::Refused { .. } => "refused_by_kafka",
                kafka::PublishError::Unknown { .. }
                | kafka::PublishError::Failed
                | kafka::PublishError::Closed => "unacknowledged",
            },
        }
    }
}

fn refusal(error: PublishError, keyed: bool) -> Refusal {
    match error {
        PublishError::Event(error) => Refusal::Event(error),
        PublishError::Kafka(error) => Refusal::NotPublished { error, keyed },
    }
}
