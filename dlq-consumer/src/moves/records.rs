//! The records that a move writes.

use domain::record::{Coordinates, DeliveryHeaders, EventHeaders, RecordError};
use domain::{AuditRecord, EndpointId, JobAction, Timestamp, Topics};
use kafka::Record;

use crate::letter::{self, Letter};

/// A record that is no delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record cannot be read, so there is nothing to send")]
pub(crate) struct Unreadable;

/// All it takes to send a delivery as if for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sendable {
    pub(crate) event: EventHeaders,
    pub(crate) endpoint: EndpointId,
    /// Where the event stands.
    pub(crate) source: Option<Coordinates>,
    /// The envelope's bytes.
    pub(crate) value: Vec<u8>,
}

impl Sendable {
    pub(crate) fn of(letter: &Letter) -> Result<Self, Unreadable> {
        if letter.poison {
            return Err(Unreadable);
        }
        let unreadable = |_: RecordError| Unreadable;
        let event = letter::event_headers(&letter.headers).map_err(unreadable)?;
        let before = letter::delivery_headers(&letter.headers).map_err(unreadable)?;
        Ok(Self {
            event,
            endpoint: before.endpoint,
            source: before.source,
            value: letter.value.clone(),
        })
    }

    /// The delivery as it was before its first attempt.
    pub(crate) fn again(self, now: Timestamp, topics: &Topics) -> Record<'static> {
        let key = self.endpoint.to_string().into_bytes();
        let anew = DeliveryHeaders::first(self.endpoint, now, self.source);
        Record::new(topics.resend.clone(), key, self.value).headers(&anew.write(&self.event))
    }
}

/// The records that move a letter. The last one is the tombstone that takes it
/// off the list.
pub(crate) fn of_letter(
    letter: &Letter,
    action: JobAction,
    now: Timestamp,
    topics: &Topics,
) -> Result<Vec<Record<'static>>, Unreadable> {
    let tombstone = Record::tombstone(topics.dead_letter.clone(), letter.id.clone().into_bytes());
    match action {
        JobAction::Resend => Ok(vec![Sendable::of(letter)?.again(now, topics), tombstone]),
        JobAction::Discard => Ok(vec![tombstone]),
    }
}

/// Who did it, to be written with what was done.
pub(crate) fn audit(record: &AuditRecord, topics: &Topics) -> Record<'static> {
    let value = serde_json::to_vec(record).expect("texts and times are JSON");
    Record::new(topics.audit.clone(), record.key().into_bytes(), value)
}
