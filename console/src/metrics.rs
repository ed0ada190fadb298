//! All metrics of the console, in one table. No label has a value that a
//! customer can choose.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

macro_rules! metrics {
    ($($(#[$doc:meta])* $field:ident: $kind:ty = $name:literal, $labels:expr, $help:literal;)*) => {
        /// The metrics of one console.
        #[derive(Debug, Clone)]
        pub struct Metrics {
            $($(#[$doc])* pub(crate) $field: $kind,)*
        }

        impl Metrics {
            /// Puts them into the registry.
            ///
            /// # Errors
            /// When a metric of the same name is registered already.
            pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
                Ok(Self {
                    $($field: {
                        let opts = Opts::new(concat!("feedbackpro_console_", $name), $help);
                        let metric = <$kind as Metric>::make(opts, &$labels)?;
                        registry.register(Box::new(metric.clone()))?;
                        metric
                    },)*
                })
            }
        }
    };
}

metrics! {
    endpoints: IntGaugeVec = "endpoints", ["state"],
        "Endpoints of all accounts by state: enabled, paused, disabled.";
    unreadable: IntCounter = "unreadable_records_total", [],
        "Records of the endpoint table and the audit that could not be read and were passed over.";
    changes: IntCounterVec = "changes_total", ["kind"],
        "Changes written: created, changed, deleted, paused, resumed, secret_rotated.";
    test_events: IntCounterVec = "test_events_total", ["outcome"],
        "Test events by outcome: delivered, the cause of the failure, or limited.";
    requests: IntCounterVec = "requests_total", ["method", "route", "status"],
        "Requests to the API and pages by method, route and the class of the status.";
    attempts_indexed: IntCounter = "attempts_indexed_total", [],
        "Attempt records taken into the index.";
    attempts_unreadable: IntCounter = "attempts_unreadable_total", [],
        "Attempt records that could not be read and were passed over.";
    attempts_index_rebuilds: IntCounter = "attempts_index_rebuilds_total", [],
        "Times the index of attempts was made anew, the first time too.";
    attempts_index_rows: IntGaugeVec = "attempts_index_rows", ["table"],
        "Rows of the index: attempts, deliveries.";
    attempts_index_bytes: IntGauge = "attempts_index_bytes", [],
        "Size of the index's file with its log.";
    attempts_index_current: IntGauge = "attempts_index_current_timestamp_seconds", [],
        "When the index last held all of the topic, in seconds since 1970; 0 before that.";
}

/// What can stand in the table.
trait Metric: Sized {
    fn make(opts: Opts, labels: &[&str]) -> Result<Self, prometheus::Error>;
}

impl Metric for IntCounter {
    fn make(opts: Opts, _: &[&str]) -> Result<Self, prometheus::Error> {
        Self::with_opts(opts)
    }
}

impl Metric for IntGauge {
    fn make(opts: Opts, _: &[&str]) -> Result<Self, prometheus::Error> {
        Self::with_opts(opts)
    }
}

impl Metric for IntCounterVec {
    fn make(opts: Opts, labels: &[&str]) -> Result<Self, prometheus::Error> {
        Self::new(opts, labels)
    }
}

impl Metric for IntGaugeVec {
    fn make(opts: Opts, labels: &[&str]) -> Result<Self, prometheus::Error> {
        Self::new(opts, labels)
    }
}
