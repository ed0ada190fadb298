//! Any delivery, by the place of its event: what the record of an attempt names
//! (`feedback.events` keeps an event longest).

use std::sync::Arc;

use domain::record::{Coordinates, EventHeaders};
use domain::{DeliveryId, Topics};
use kafka::{FoundRecord, Lookup, LookupError};

use crate::index::Scope;
use crate::moves::records::Sendable;

/// Reads events again.
#[derive(Debug)]
pub(crate) struct Deliveries {
    pub(crate) lookup: Lookup,
    pub(crate) topics: Arc<Topics>,
}

/// Why a delivery cannot be sent again from a place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotFound {
    /// Not the topic of events.
    #[error("events do not stand on this topic")]
    OtherTopic,
    /// Another record, another account's, or none.
    #[error("the event of this delivery does not stand there")]
    Absent,
    #[error(transparent)]
    Lookup(LookupError),
}

impl NotFound {
    /// The word in metrics.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::OtherTopic => "other_topic",
            Self::Absent | Self::Lookup(LookupError::Absent) => "absent",
            Self::Lookup(LookupError::Expired) => "expired",
            Self::Lookup(LookupError::Busy | LookupError::Unavailable(_)) => "failed",
        }
    }
}

impl Deliveries {
    /// The delivery, read at `place`, as it can be sent again.
    pub(crate) async fn find(
        &self,
        scope: &Scope,
        id: DeliveryId,
        place: Coordinates,
    ) -> Result<Sendable, NotFound> {
        if *place.topic != *self.topics.events {
            return Err(NotFound::OtherTopic);
        }
        let found = self.lookup.at(place.clone()).await;
        let record = found.map_err(NotFound::Lookup)?;
        sendable(record, id, place, scope).ok_or(NotFound::Absent)
    }
}

/// The delivery, when the record is its event and the caller's.
fn sendable(
    record: FoundRecord,
    id: DeliveryId,
    place: Coordinates,
    scope: &Scope,
) -> Option<Sendable> {
    let value = record.value.as_ref()?;
    let event = EventHeaders::beside(value, |name| record.header(name)).ok()?;
    let is_callers = match scope {
        Scope::Account(account) => event.account == *account,
        Scope::All => true,
    };
    (is_callers && event.id == id.event).then_some(Sendable {
        event,
        endpoint: id.endpoint,
        source: Some(place),
        value: record.value?,
    })
}
