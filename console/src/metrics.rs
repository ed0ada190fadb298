//! All metrics of the console, in one table. No label has a value that a
//! customer can choose.

use prometheus::{IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry};

macro_rules! metrics {
    ($($(#[$doc:meta])* $field:ident: $kind:ty = $name:literal, $labels:expr, $help:literal;)*) => {
        /// The metrics of one console.
        #[derive(Debug, Clone)]
        pub(crate) struct Metrics {
            $($(#[$doc])* pub(crate) $field: $kind,)*
        }

        impl Metrics {
            /// # Errors
            /// When a metric of the same name is registered already.
            pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
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
