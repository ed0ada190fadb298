//! All metrics of this binary. No label takes a value that a customer chooses.

use std::time::Duration;

use domain::EventKind;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use service::traces::SpanCounters;

/// Seconds; the acknowledgement of a healthy cluster takes a few milliseconds.
const PUBLISH_BUCKETS: [f64; 12] = [
    0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// The table. Clones count into the same.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// `kind` is `json`, `ndjson`, `beacon` or `other`; `status` is the answer's.
    pub(crate) requests: IntCounterVec,
    /// Requests that are being answered.
    pub(crate) in_flight: IntGauge,
    /// Events on all in-sync replicas.
    pub(crate) accepted: IntCounterVec,
    /// Keyed events that were accepted before and not published again.
    pub(crate) repeated: IntCounter,
    /// Events (or lines) that were not accepted: `reason` is `invalid`,
    /// `key_reused`, `no_room`, `refused_by_kafka` or `unacknowledged`.
    pub(crate) refused: IntCounterVec,
    /// Spans by what became of them: `result` is `exported` or `dropped`.
    spans: IntCounterVec,
    /// From the hand-over to the acknowledgement.
    publish_seconds: Histogram,
}

impl Metrics {
    /// Makes the table and registers it.
    ///
    /// # Errors
    /// When a name is taken in the registry.
    pub(crate) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let name = |name: &str, help: &str| Opts::new(format!("feedbackpro_producer_{name}"), help);
        let histogram = |opts: Opts| HistogramOpts {
            common_opts: opts,
            buckets: PUBLISH_BUCKETS.to_vec(),
        };
        let metrics = Self {
            requests: IntCounterVec::new(
                name("requests_total", "Requests answered, by kind and status"),
                &["kind", "status"],
            )?,
            in_flight: IntGauge::with_opts(name(
                "requests_in_flight",
                "Requests that are being answered",
            ))?,
            accepted: IntCounterVec::new(
                name("events_accepted_total", "Events on all in-sync replicas"),
                &["event"],
            )?,
            repeated: IntCounter::with_opts(name(
                "events_repeated_total",
                "Events with a known Idempotency-Key, not published again",
            ))?,
            refused: IntCounterVec::new(
                name("events_refused_total", "Events not accepted, by reason"),
                &["reason"],
            )?,
            spans: IntCounterVec::new(
                name(
                    "spans_total",
                    "Spans of traces, exported or dropped because the collector did not take them",
                ),
                &["result"],
            )?,
            publish_seconds: Histogram::with_opts(histogram(name(
                "publish_seconds",
                "From the hand-over of an event to its acknowledgement",
            )))?,
        };
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.in_flight.clone()))?;
        registry.register(Box::new(metrics.accepted.clone()))?;
        registry.register(Box::new(metrics.repeated.clone()))?;
        registry.register(Box::new(metrics.refused.clone()))?;
        registry.register(Box::new(metrics.spans.clone()))?;
        registry.register(Box::new(metrics.publish_seconds.clone()))?;
        Ok(metrics)
    }

    pub(crate) fn spans(&self) -> SpanCounters {
        SpanCounters {
            exported: self.spans.with_label_values(&["exported"]),
            dropped: self.spans.with_label_values(&["dropped"]),
        }
    }

    /// An event was acknowledged after `waited`.
    pub(crate) fn accept(&self, kind: EventKind, waited: Duration) {
        self.accepted.with_label_values(&[kind.as_str()]).inc();
        self.publish_seconds.observe(waited.as_secs_f64());
    }
}
