//! The envelope: read from what a shop posts, written as the bytes that every
//! attempt delivers.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{error::Category, value::RawValue};

use crate::{
    EventData, EventId, EventKind, InputError, NotAnId, Timestamp,
    input::{json_text, misfit, not_json, read, utf8},
};

/// How long an envelope may be, in bytes.
pub const MAX_ENVELOPE_BYTES: usize = 64 * 1024;

/// An event as a shop hands it in: without an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// When it happened, where the shop says so.
    pub timestamp: Option<Timestamp>,
    /// What happened.
    pub data: EventData,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSubmission<'a> {
    event: EventKind,
    #[serde(default)]
    timestamp: Option<Timestamp>,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEnvelope<'a> {
    event: EventKind,
    id: EventId,
    timestamp: Timestamp,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl Submission {
    /// Reads one JSON event `{"event", "data"}` with an optional `timestamp`.
    ///
    /// # Errors
    /// Says where and what is wrong, and what is allowed there.
    pub fn parse(bytes: &[u8]) -> Result<Self, InputError> {
        let text = json_text(bytes)?;
        let raw: RawSubmission<'_> = read("$", text)?;
        Ok(Self {
            timestamp: raw.timestamp,
            data: read_data(raw.event, raw.data)?,
        })
    }
}

/// A whole event. Its serialised form is what receivers get, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Envelope {
    /// Which event.
    #[serde(rename = "event")]
    kind: EventKind,
    id: EventId,
    timestamp: Timestamp,
    data: EventData,
}

impl Envelope {
    /// Puts an event into its envelope.
    #[must_use]
    pub const fn new(id: EventId, timestamp: Timestamp, data: EventData) -> Self {
        Self {
            kind: data.kind(),
            id,
            timestamp,
            data,
        }
    }

    /// Reads an envelope strictly.
    ///
    /// # Errors
    /// When it is not exactly an event of the catalogue.
    pub fn parse(bytes: &[u8]) -> Result<Self, InputError> {
        let text = json_text(bytes)?;
        let raw: RawEnvelope<'_> = read("$", text)?;
        let data = read_data(raw.event, raw.data)?;
        Ok(Self::new(raw.id, raw.timestamp, data))
    }

    /// The bytes to deliver: compact JSON, keys in the page's order.
    ///
    /// # Errors
    /// When they are more than [`MAX_ENVELOPE_BYTES`].
    ///
    /// # Panics
    /// Never: the types hold nothing that JSON cannot.
    pub fn to_bytes(&self) -> Result<Vec<u8>, InputError> {
        let bytes = serde_json::to_vec(self).expect("an envelope holds only what JSON can");
        if bytes.len() > MAX_ENVELOPE_BYTES {
            return Err(InputError::TooLong { found: bytes.len() });
        }
        Ok(bytes)
    }

    /// The event's id.
    #[must_use]
    pub const fn id(&self) -> EventId {
        self.id
    }

    /// When it happened.
    #[must_use]
    pub const fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// What happened.
    #[must_use]
    pub const fn data(&self) -> &EventData {
        &self.data
    }
}

/// The outside of an envelope: all that a dispatcher reads of one. The body is
/// passed on as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvelopeHead {
    /// Which event.
    pub kind: EventKind,
    /// Its id.
    pub id: EventId,
}

impl EnvelopeHead {
    /// Whether the bytes begin and end as [`Envelope::to_bytes`] writes this event.
    /// What is between is not looked at: that would cost as much as signing it.
    #[must_use]
    pub fn is_outside_of(&self, bytes: &[u8]) -> bool {
        let begin: [&[u8]; 5] = [
            br#"{"event":""#,
            self.kind.as_str().as_bytes(),
            br#"","id":""#,
            &self.id.text(),
            br#"","timestamp":""#,
        ];
        let rest = begin
            .iter()
            .try_fold(bytes, |rest, part| rest.strip_prefix(*part));
        rest.is_some_and(|rest| rest.ends_with(b"}}"))
    }

    /// Reads the outside and checks that the rest is JSON.
    ///
    /// # Errors
    /// When the bytes are no envelope.
    pub fn parse(bytes: &[u8]) -> Result<Self, InputError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Head<'a> {
            event: EventKind,
            #[serde(borrow)]
            id: Cow<'a, str>,
            #[serde(rename = "timestamp")]
            _timestamp: IgnoredAny,
            #[serde(rename = "data")]
            _data: IgnoredAny,
        }
        let text = utf8(bytes)?;
        let head: Head<'_> = serde_json::from_str(text).map_err(|e| match e.classify() {
            Category::Data => misfit("$".to_owned(), &e),
            Category::Io | Category::Syntax | Category::Eof => not_json(&e),
        })?;
        let id = head.id.parse().map_err(|e: NotAnId| InputError::Invalid {
            path: "$.id".to_owned(),
            found: format!("{:?}", e.found),
            allowed: e.allowed.to_owned(),
        })?;
        Ok(Self {
            kind: head.event,
            id,
        })
    }
}

fn read_data(kind: EventKind, raw: &RawValue) -> Result<EventData, InputError> {
    let text = raw.get();
    Ok(match kind {
        EventKind::NewFeedback => EventData::NewFeedback(read("$.data", text)?),
        EventKind::RatingSubmitted => EventData::RatingSubmitted(read("$.data", text)?),
        EventKind::NpsCalculated => EventData::NpsCalculated(read("$.data", text)?),
        EventKind::WidgetDismissed => EventData::WidgetDismissed(read("$.data", text)?),
    })
}
