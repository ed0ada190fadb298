//! What became of deliveries, and what they carry.

use std::sync::Arc;

use domain::record::{Coordinates, EventHeaders};
use kafka::{Connection, ConnectionError, FoundRecord, Lookup, LookupError};

use crate::attempts::{Attempts, Delivery};

/// What pages and the API ask about deliveries.
#[derive(Debug)]
pub(crate) struct DeliveryLog {
    /// What became of them.
    pub(crate) attempts: Attempts,
    lookup: Lookup,
}

/// Why the payload of a delivery cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoPayload {
    /// It has waited for so long that its records have left the index.
    #[error("no attempt says any more where its event stands")]
    PlaceUnknown,
    /// Another record stands there, as on a topic that was made anew.
    #[error("its event does not stand where its attempts say")]
    Absent,
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

impl DeliveryLog {
    pub(crate) fn open(
        attempts: Attempts,
        connection: &Connection,
    ) -> Result<Self, ConnectionError> {
        let lookup = Lookup::open(connection, "lookup")?;
        Ok(Self { attempts, lookup })
    }

    /// Exactly the bytes that are delivered, read from Kafka where the latest
    /// record says that they stand. Whoever may see the delivery may see them:
    /// the record is shown only where it is of the same account and event.
    ///
    /// # Errors
    /// See [`NoPayload`].
    pub(crate) async fn payload(&self, of: &Delivery) -> Result<Vec<u8>, NoPayload> {
        let last = of.records.last().ok_or(NoPayload::PlaceUnknown)?;
        let place = Coordinates {
            topic: Arc::clone(&last.topic),
            partition: last.partition,
            offset: last.offset,
        };
        match self.lookup.at(place).await {
            Ok(record) => event(record, of).ok_or(NoPayload::Absent),
            Err(LookupError::Absent) => Err(NoPayload::Absent),
            Err(error) => Err(error.into()),
        }
    }
}

/// The value of the record, where that is the delivery's event.
fn event(record: FoundRecord, of: &Delivery) -> Option<Vec<u8>> {
    let value = record.value.as_ref()?;
    let event = EventHeaders::beside(value, |name| record.header(name)).ok()?;
    let is_it = event.account == of.summary.account && event.id == of.summary.id.event;
    is_it.then_some(record.value?)
}
