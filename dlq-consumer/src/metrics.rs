//! All metrics of the binary.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::{DeadLetterReason, JobAction, JobState, Timestamp};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use crate::deliveries::NotFound;
use crate::index::Summary;
use crate::moves::{NotMoved, RESEND_DELIVERY};

/// Metrics of one process; clones share them.
///
/// | name | what |
/// |---|---|
/// | `feedbackpro_dlq_consumer_entries{reason}` | entries of the failed list |
/// | `feedbackpro_dlq_consumer_oldest_age_seconds` | since the first entry failed; 0 without one |
/// | `feedbackpro_dlq_consumer_moves_total{action,outcome}` | requests to re-send or discard one; `resend_delivery` is one that need not have failed |
/// | `feedbackpro_dlq_consumer_lookups_total{outcome}` | events read again to send a delivery that is not on the list |
/// | `feedbackpro_dlq_consumer_jobs_running` | bulk jobs that run |
/// | `feedbackpro_dlq_consumer_jobs_ended_total{action,state}` | bulk jobs that ended |
/// | `feedbackpro_dlq_consumer_job_entries_total{action,outcome}` | entries that bulk jobs moved, or passed over as they cannot be sent again |
/// | `feedbackpro_dlq_consumer_index_next_offset` | the offset to be read next |
/// | `feedbackpro_dlq_consumer_index_age_seconds` | since the index last held everything on the topic |
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    entries: IntGaugeVec,
    moves: IntCounterVec,
    lookups: IntCounterVec,
    jobs_running: IntGauge,
    jobs_ended: IntCounterVec,
    job_entries: IntCounterVec,
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
            lookups: IntCounterVec::new(
                Opts::new(
                    "feedbackpro_dlq_consumer_lookups_total",
                    "Events read again to send a delivery that is not on the list, by outcome",
                ),
                &["outcome"],
            )?,
            jobs_running: IntGauge::new(
                "feedbackpro_dlq_consumer_jobs_running",
                "Bulk jobs that run",
            )?,
            jobs_ended: IntCounterVec::new(
                Opts::new(
                    "feedbackpro_dlq_consumer_jobs_ended_total",
                    "Bulk jobs that ended, by what they do and how they ended",
                ),
                &["action", "state"],
            )?,
            job_entries: IntCounterVec::new(
                Opts::new(
                    "feedbackpro_dlq_consumer_job_entries_total",
                    "Entries that bulk jobs moved, or passed over",
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
        metrics.show_every_label();
        metrics.show(&Summary::default());
        registry.register(Box::new(metrics.entries.clone()))?;
        for counter in [
            &metrics.moves,
            &metrics.lookups,
            &metrics.jobs_ended,
            &metrics.job_entries,
        ] {
            registry.register(Box::new(counter.clone()))?;
        }
        registry.register(Box::new(metrics.jobs_running.clone()))?;
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

    /// A counter that has not counted yet is 0, not missing.
    fn show_every_label(&self) {
        let actions = JobAction::ALL.map(JobAction::as_str);
        for action in actions.into_iter().chain([RESEND_DELIVERY]) {
            for outcome in ["moved", "not_live", "poison", "under_way", "failed"] {
                self.moves.with_label_values(&[action, outcome]);
            }
        }
        for outcome in ["found", "absent", "expired", "other_topic", "failed"] {
            self.lookups.with_label_values(&[outcome]);
        }
        for action in actions {
            for state in JobState::ALL.iter().filter(|it| **it != JobState::Running) {
                self.jobs_ended.with_label_values(&[action, state.as_str()]);
            }
            for outcome in ["moved", "skipped"] {
                self.job_entries.with_label_values(&[action, outcome]);
            }
        }
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

    /// Counts a request to move one delivery.
    pub(crate) fn moved(&self, action: &'static str, error: Option<&NotMoved>) {
        let outcome = match error {
            None => "moved",
            Some(NotMoved::NotLive) => "not_live",
            Some(NotMoved::Poison(_)) => "poison",
            Some(NotMoved::UnderWay) => "under_way",
            Some(NotMoved::Index(_) | NotMoved::Kafka(_)) => "failed",
        };
        self.moves.with_label_values(&[action, outcome]).inc();
    }

    /// Counts an event that was read again, or not.
    pub(crate) fn looked_up(&self, error: Option<&NotFound>) {
        let outcome = error.map_or("found", NotFound::as_str);
        self.lookups.with_label_values(&[outcome]).inc();
    }

    /// So many jobs run.
    pub(crate) fn jobs_running(&self, jobs: usize) {
        self.jobs_running
            .set(i64::try_from(jobs).unwrap_or(i64::MAX));
    }

    /// Counts what a job has done in one step.
    pub(crate) fn job_step(&self, action: JobAction, moved: u64, skipped: u64) {
        for (outcome, entries) in [("moved", moved), ("skipped", skipped)] {
            self.job_entries
                .with_label_values(&[action.as_str(), outcome])
                .inc_by(entries);
        }
    }

    /// Counts a job that ended.
    pub(crate) fn job_ended(&self, action: JobAction, state: JobState) {
        self.jobs_ended
            .with_label_values(&[action.as_str(), state.as_str()])
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
