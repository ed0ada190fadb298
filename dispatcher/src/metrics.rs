//! All metrics of the dispatcher, in one table. No label has a value that a
//! customer can choose.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};
use service::traces::SpanCounters;

/// Attempts take from a millisecond to the limit of 5 s.
const ATTEMPT_SECONDS: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];
/// The promise is 25 ms; beyond that only the order of magnitude matters.
const LATE_SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.25, 1.0, 10.0, 60.0];

macro_rules! metrics {
    ($($(#[$doc:meta])* $field:ident: $kind:ty = $make:ident($name:literal, $help:literal $(, $extra:expr)*);)*) => {
        /// The metrics of one dispatcher.
        #[derive(Debug)]
        pub(crate) struct Metrics {
            $($(#[$doc])* pub(crate) $field: $kind,)*
        }

        impl Metrics {
            pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
                Ok(Self {
                    $($field: {
                        let metric = $make(
                            concat!("feedbackpro_dispatcher_", $name),
                            $help
                            $(, $extra)*
                        )?;
                        registry.register(Box::new(metric.clone()))?;
                        metric
                    },)*
                })
            }
        }
    };
}

metrics! {
    attempts: IntCounterVec = counters("attempts_total",
        "Attempts by what became of the delivery (delivered, retry, dead_letter) and the cause of a failure (none where it was delivered).", &["outcome", "cause"]);
    attempt_seconds: Histogram = histogram("attempt_seconds",
        "Time of an attempt, from the name look-up to the end of the answer.", &ATTEMPT_SECONDS);
    late_seconds: HistogramVec = histograms("late_seconds",
        "How long after its due time a delivery left its delay lane, by the lane's tier.", &["tier"], &LATE_SECONDS);
    placed: IntCounterVec = counters("placed_total",
        "Deliveries by where they went when they could be sent: send, queue, wait, ready, deferred, dead_letter.", &["place"]);
    dead_letters: IntCounterVec = counters("dead_letters_total",
        "Deliveries given up, by reason.", &["reason"]);
    endpoints_disabled: IntCounter = counter("endpoints_disabled_total",
        "Endpoints disabled because they answered 410.");
    dropped_deleted: IntCounter = counter("dropped_deleted_total",
        "Deliveries dropped because their account has no such endpoint any more.");
    repeated_records: IntCounter = counter("repeated_records_total",
        "Records of deliveries passed over because the same step was handled lately (a crash wrote it twice).");
    events: IntCounterVec = counters("events_total",
        "Events read, by what they led to: delivered_to_none, fanned_out, undecodable.", &["result"]);
    attempt_records_dropped: IntCounter = counter("attempt_records_dropped_total",
        "Attempt records that were dropped because Kafka did not take them fast enough.");
    spans: IntCounterVec = counters("spans_total",
        "Spans of traces, by what became of them: exported, or dropped because the collector did not take them.", &["result"]);
    write_retries: IntCounter = counter("write_retries_total",
        "Retry, ready and dead-letter records that Kafka refused and that were written again.");
    offset_gaps: IntCounterVec = counters("offset_gaps_total",
        "Offsets that could not be read: missing (retention or a transaction's control records) or restarted (the topic begins anew).", &["kind"]);
    commits: IntCounter = counter("commits_total",
        "Commits of offsets that were sent.");
    rebalances: IntCounterVec = counters("rebalances_total",
        "Partitions assigned, revoked or lost.", &["kind"]);
    stood_still: IntCounter = counter("stood_still_total",
        "How often the process stood still for so long that it gave its partitions up.");
    in_flight: IntGauge = gauge("in_flight",
        "Attempts under way.");
    waiting: IntGauge = gauge("waiting",
        "Deliveries that wait in memory for room at their endpoint.");
    endpoints: IntGauge = gauge("endpoints",
        "Endpoints in the table.");
    partitions: IntGaugeVec = gauges("partitions",
        "Partitions assigned, by topic.", &["topic"]);
    oldest_incomplete_seconds: IntGaugeVec = gauges("oldest_incomplete_seconds",
        "Age of the oldest record that was read and is not complete, by topic; 0 when all are. Delay topics count from the due time of their tier.", &["topic"]);
}

impl Metrics {
    pub(crate) fn span_counters(&self) -> SpanCounters {
        SpanCounters {
            exported: self.spans.with_label_values(&["exported"]),
            dropped: self.spans.with_label_values(&["dropped"]),
        }
    }
}

fn counter(name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
    IntCounter::new(name, help)
}

fn counters(name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(Opts::new(name, help), labels)
}

fn gauge(name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
    IntGauge::new(name, help)
}

fn gauges(name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
    IntGaugeVec::new(Opts::new(name, help), labels)
}

fn histogram(name: &str, help: &str, buckets: &[f64]) -> Result<Histogram, prometheus::Error> {
    Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))
}

fn histograms(
    name: &str,
    help: &str,
    labels: &[&str],
    buckets: &[f64],
) -> Result<HistogramVec, prometheus::Error> {
    HistogramVec::new(
        HistogramOpts::new(name, help).buckets(buckets.to_vec()),
        labels,
    )
}
