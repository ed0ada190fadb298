//! All metrics of the binary.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::{DeadLetterReason, Timestamp};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use crate::index::Summary;
use crate::moves::{Action, NotMoved};

/// Metrics of one process; clones share them.
///
/// | name | what |
/// |---|---|
/// | `feedbackpro_dlq_consumer_entries{reason}` | entries of the failed list |
/// | `feedbackpro_dlq_consumer_oldest_age_seconds` | since the first entry failed; 0 without one |
/// | `feedbackpro_dlq_consumer_moves_total{action,outcome}` | requests to re-send or discard one |
/// | `feedbackpro_dlq_consumer_index_next_offset` | the offset to be read next |
/// | `feedbackpro_dlq_consumer_index_age_seconds` | since the index last held everything on the topic |
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    entries: IntGaugeVec,
    moves: IntCounterVec,
    next_offset: IntGauge,
    oldest: Arc<AtomicI64>,
    current: Arc<AtomicI64>,
}

/// Stands for "none" among milliseconds since 1970.
const NONE: i64 = i64::MIN;

impl Metrics {
    /// # Errors
    /// When the registry has one of these names already.
    pub(crate) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            entries: IntGaugeVec::new(
                Opts::new(
                    "feedbackpro_dlq_consumer_entries",
                    "Entries of the failed list",
                ),
                &["reason"],
            )?,
            moves: IntCounterVec::new(
                Opts::new(
                    "feedbackpro_dlq_consumer_moves_total",
                    "Requests to re-send or discard an entry, by outcome",
                ),
                &["action", "outcome"],
            )?,
            next_offset: IntGauge::new(
                "feedbackpro_dlq_consumer_index_next_offset",
                "The offset of the dead-letter topic to be read next",
            )?,
            oldest: Arc::new(AtomicI64::new(NONE)),
            current: Arc::new(AtomicI64::new(NONE)),
        };
        for action in Action::ALL {
            for outcome in ["moved", "not_live", "poison", "under_way", "failed"] {
                metrics.moves.with_label_values(&[action.as_str(), outcome]);
            }
        }
        metrics.show(&Summary::default());
        registry.register(Box::new(metrics.entries.clone()))?;
        registry.register(Box::new(metrics.moves.clone()))?;
        registry.register(Box::new(metrics.next_offset.clone()))?;
        registry.register(Box::new(Age::new(
            "feedbackpro_dlq_consumer_oldest_age_seconds",
            "Seconds since the first entry of the failed list failed; 0 without one",
            &metrics.oldest,
        )?))?;
        registry.register(Box::new(Age::new(
            "feedbackpro_dlq_consumer_index_age_seconds",
            "Seconds since the index last held everything on the topic; 0 before that",
            &metrics.current,
        )?))?;
        Ok(metrics)
    }

    /// Shows the list in numbers.
    pub(crate) fn show(&self, summary: &Summary) {
        for reason in DeadLetterReason::ALL {
            let entries = summary.entries.get(&reason).copied().unwrap_or(0);
            self.entries
                .with_label_values(&[reason.as_str()])
                .set(entries);
        }
        self.next_offset.set(summary.next_offset);
        let oldest = summary.oldest.map_or(NONE, Timestamp::millis);
        self.oldest.store(oldest, Ordering::Relaxed);
    }

    /// At this moment the index held everything.
    pub(crate) fn current(&self, at: Timestamp) {
        self.current.store(at.millis(), Ordering::Relaxed);
    }

    /// Counts a request to move an entry.
    pub(crate) fn moved(&self, action: Action, error: Option<&NotMoved>) {
        let outcome = match error {
            None => "moved",
            Some(NotMoved::NotLive) => "not_live",
            Some(NotMoved::Poison) => "poison",
            Some(NotMoved::UnderWay) => "under_way",
            Some(NotMoved::Index(_) | NotMoved::Kafka(_)) => "failed",
        };
        self.moves
            .with_label_values(&[action.as_str(), outcome])
            .inc();
    }
}

/// How long ago a moment was, at the time of asking.
#[derive(Debug)]
struct Age {
    since: Arc<AtomicI64>,
    gauge: Gauge,
}

impl Age {
    fn new(name: &str, help: &str, since: &Arc<AtomicI64>) -> Result<Self, prometheus::Error> {
        Ok(Self {
            since: Arc::clone(since),
            gauge: Gauge::new(name, help)?,
        })
    }
}

impl Collector for Age {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let age = match self.since.load(Ordering::Relaxed) {
            NONE => 0.0,
            since => Timestamp::now()
                .since(Timestamp::from_millis(since))
                .as_secs_f64(),
        };
        self.gauge.set(age);
        self.gauge.collect()
    }
}
