//! All metrics of the dispatcher, in one table. No label has a value that a
//! customer can choose.

use std::cell::RefCell;

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, core::Collector,
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
                    $($field: $make(
                        registry,
                        concat!("feedbackpro_dispatcher_", $name),
                        $help
                        $(, $extra)*
                    )?,)*
                })
            }
        }
    };
}

metrics! {
    attempts: Counters<2> = counters("attempts_total",
        "Attempts by what became of the delivery (delivered, retry, dead_letter) and the cause of a failure (none where it was delivered).", &["outcome", "cause"]);
    attempt_seconds: Histogram = histogram("attempt_seconds",
        "Time of an attempt, from the name look-up to the end of the answer.", &ATTEMPT_SECONDS);
    late_seconds: HistogramVec = histograms("late_seconds",
        "How long after its due time a delivery left its delay lane, by the lane's tier.", &["tier"], &LATE_SECONDS);
    placed: Counters<1> = counters("placed_total",
        "Deliveries by where they went when they could be sent: send, queue, wait, ready, deferred, dead_letter.", &["place"]);
    dead_letters: Counters<1> = counters("dead_letters_total",
        "Deliveries given up, by reason.", &["reason"]);
    endpoints_disabled: IntCounter = counter("endpoints_disabled_total",
        "Endpoints disabled because they answered 410.");
    dropped_deleted: IntCounter = counter("dropped_deleted_total",
        "Deliveries dropped because their account has no such endpoint any more.");
    repeated_records: IntCounter = counter("repeated_records_total",
        "Records of deliveries passed over because the same step was handled lately (a crash wrote it twice).");
    events: Counters<1> = counters("events_total",
        "Events read, by what they led to: delivered_to_none, fanned_out, undecodable.", &["result"]);
    attempt_records_dropped: IntCounter = counter("attempt_records_dropped_total",
        "Attempt records that were dropped because Kafka did not take them fast enough.");
    spans: Counters<1> = counters("spans_total",
        "Spans of traces, by what became of them: exported, or dropped because the collector did not take them.", &["result"]);
    write_retries: IntCounter = counter("write_retries_total",
        "Retry, ready and dead-letter records that Kafka refused and that were written again.");
    offset_gaps: Counters<1> = counters("offset_gaps_total",
        "Offsets that could not be read: missing (retention or a transaction's control records) or restarted (the topic begins anew).", &["kind"]);
    commits: IntCounter = counter("commits_total",
        "Commits of offsets that were sent.");
    rebalances: Counters<1> = counters("rebalances_total",
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
            exported: self.spans.of(["exported"]),
            dropped: self.spans.of(["dropped"]),
        }
    }
}

/// Counters that differ in `N` labels, each of which has a few fixed values. One that
/// was used is found again without a lock or a hash: several count every delivery.
#[derive(Debug)]
pub(crate) struct Counters<const N: usize> {
    all: IntCounterVec,
    used: RefCell<Vec<([&'static str; N], IntCounter)>>,
}

impl<const N: usize> Counters<N> {
    /// The one with these values, in the order of the labels.
    pub(crate) fn of(&self, values: [&'static str; N]) -> IntCounter {
        let mut used = self.used.borrow_mut();
        if let Some((_, counter)) = used.iter().find(|(of, _)| *of == values) {
            return counter.clone();
        }
        let counter = self.all.with_label_values(&values);
        used.push((values, counter.clone()));
        counter
    }
}

fn registered<M: Collector + Clone + 'static>(
    registry: &Registry,
    metric: M,
) -> Result<M, prometheus::Error> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn counter(registry: &Registry, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
    registered(registry, IntCounter::new(name, help)?)
}

fn counters<const N: usize>(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str; N],
) -> Result<Counters<N>, prometheus::Error> {
    let all = IntCounterVec::new(Opts::new(name, help), labels)?;
    Ok(Counters {
        all: registered(registry, all)?,
        used: RefCell::default(),
    })
}

fn gauge(registry: &Registry, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
    registered(registry, IntGauge::new(name, help)?)
}

fn gauges(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntGaugeVec, prometheus::Error> {
    let gauges = IntGaugeVec::new(Opts::new(name, help), labels)?;
    registered(registry, gauges)
}

fn histogram(
    registry: &Registry,
    name: &str,
    help: &str,
    buckets: &[f64],
) -> Result<Histogram, prometheus::Error> {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    registered(registry, Histogram::with_opts(options)?)
}

fn histograms(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
    buckets: &[f64],
) -> Result<HistogramVec, prometheus::Error> {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    registered(registry, HistogramVec::new(options, labels)?)
}
