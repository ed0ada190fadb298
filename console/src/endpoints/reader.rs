//! Takes the records of the topic into the table, on the reader's thread.

use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock};

use kafka::TableEvent;

use super::table::EndpointTable;
use crate::metrics::Metrics;

/// The callback for [`kafka::Table::follow`].
pub(super) fn follower(
    table: Arc<RwLock<EndpointTable>>,
    metrics: Metrics,
) -> impl FnMut(TableEvent<'_>) -> ControlFlow<()> + Send + 'static {
    move |event| {
        // Held to the end: who sees a change sees it counted.
        let mut table = table.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            TableEvent::Reset => *table = EndpointTable::default(),
            TableEvent::Records(records) => {
                for record in records {
                    let taken = table.apply(record.key(), record.value());
                    if let Err(error) = taken {
                        metrics.unreadable.inc();
                        tracing::error!(
                            offset = record.offset(), %error,
                            "a record of the endpoint table is passed over"
                        );
                    }
                }
            }
        }
        let counts = table.counts();
        for (state, count) in [
            ("enabled", counts.enabled),
            ("paused", counts.paused),
            ("disabled", counts.disabled),
        ] {
            metrics.endpoints.with_label_values(&[state]).set(count);
        }
        ControlFlow::Continue(())
    }
}
