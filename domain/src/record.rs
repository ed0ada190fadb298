//! The records of events and deliveries: their headers, and what may be wrong
//! with them. Values are the envelope's bytes and are never rewritten.

use std::{fmt, sync::Arc};

use crate::{
    AccountId, Cause, DeadLetterReason, DeliveryId, EndpointId, EnvelopeHead, EventId, EventKind,
    InputError, Timestamp,
};

/// Names of record headers.
pub mod header {
    /// The tenancy boundary.
    pub const ACCOUNT: &str = "account";
    /// CloudEvents binary mode: the event id.
    pub const CE_ID: &str = "ce_id";
    /// CloudEvents: the event's name.
    pub const CE_TYPE: &str = "ce_type";
    /// CloudEvents: who published it.
    pub const CE_SOURCE: &str = "ce_source";
    /// CloudEvents: when it happened.
    pub const CE_TIME: &str = "ce_time";
    /// CloudEvents: the version of that specification.
    pub const CE_SPECVERSION: &str = "ce_specversion";
    /// W3C Trace Context.
    pub const TRACEPARENT: &str = "traceparent";
    /// The endpoint of a delivery.
    pub const ENDPOINT: &str = "delivery-endpoint";
    /// The number of the attempt to be made; on the dead-letter topic how many were made.
    pub const ATTEMPT: &str = "delivery-attempt";
    /// Milliseconds since 1970 when the delivery was first due.
    pub const FIRST_AT: &str = "delivery-first-at";
    /// Milliseconds since 1970 when it is due.
    pub const DUE_AT: &str = "delivery-due-at";
    /// How often it was deferred without an attempt.
    pub const DEFERRALS: &str = "delivery-deferrals";
    /// The status of the last attempt.
    pub const LAST_STATUS: &str = "delivery-last-status";
    /// `cause: text` of the last attempt.
    pub const LAST_ERROR: &str = "delivery-last-error";
    /// Why it was given up.
    pub const REASON: &str = "delivery-reason";
    /// topic/partition/offset of the event.
    pub const SOURCE: &str = "delivery-source";
}

/// `ce_source` of every event.
pub const CE_SOURCE: &str = "feedbackpro/producer";
/// The CloudEvents version that the headers follow.
pub const CE_SPECVERSION: &str = "1.0";
/// How long a header's text may be, in bytes; longer ones are cut.
pub const MAX_HEADER_BYTES: usize = 512;

/// A place in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coordinates {
    /// The topic's full name.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

impl fmt::Display for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.partition, self.offset)
    }
}

impl Coordinates {
    /// Reads `topic/partition/offset`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, offset) = text.rsplit_once('/')?;
        let (topic, partition) = rest.rsplit_once('/')?;
        Some(Self {
            topic: topic.into(),
            partition: partition.parse().ok()?,
            offset: offset.parse().ok()?,
        })
    }

    /// The key of the dead letter of a record that cannot be read.
    #[must_use]
    pub fn poison_key(&self) -> String {
        format!("{}.{}.{}", self.topic, self.partition, self.offset)
    }
}

/// What the headers of an event say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventHeaders {
    /// Whose it is.
    pub account: AccountId,
    /// Its id.
    pub id: EventId,
    /// Which event.
    pub kind: EventKind,
    /// When it happened.
    pub time: Timestamp,
    /// W3C Trace Context, where the request had one or was sampled.
    pub traceparent: Option<String>,
}

/// What the headers of a delivery say beside the event's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryHeaders {
    /// Where it goes.
    pub endpoint: EndpointId,
    /// The number of the attempt to be made, 1 at first; on the dead-letter
    /// topic the number of attempts that were made.
    pub attempt: u32,
    /// When it was first due.
    pub first_at: Timestamp,
    /// When it is due; `None` where it may be sent at once.
    pub due_at: Option<Timestamp>,
    /// How often it was deferred without an attempt.
    pub deferrals: u32,
    /// The status of the last attempt, where there was an answer.
    pub last_status: Option<u16>,
    /// Why the last attempt failed.
    pub last_error: Option<LastError>,
    /// Why it was given up; only on the dead-letter topic.
    pub reason: Option<DeadLetterReason>,
    /// Where the event stands.
    pub source: Option<Coordinates>,
}

/// Why the last attempt failed: a cause and bounded text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// The cause.
    pub cause: Cause,
    /// In words.
    pub text: String,
}

impl fmt::Display for LastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause.as_str(), self.text)
    }
}

/// A record whose headers cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A header that every such record has is not there.
    #[error("the header {0:?} is missing")]
    Missing(&'static str),
    /// A header holds something else than it must.
    #[error("the header {name:?} holds {found:?}: {allowed} is allowed")]
    Invalid {
        /// Which header.
        name: &'static str,
        /// What it holds, cut.
        found: String,
        /// What it may hold.
        allowed: &'static str,
    },
}

/// A record that holds no event, or no delivery of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEvent {
    /// Its headers.
    #[error(transparent)]
    Headers(#[from] RecordError),
    /// Its value.
    #[error(transparent)]
    Envelope(#[from] InputError),
    /// Each for itself is one.
    #[error("the envelope and the headers name different events")]
    Different,
}

/// Headers as they are written: names and values, each name once.
pub type Headers = Vec<(&'static str, String)>;

impl EventHeaders {
    /// Reads an event's headers. `get` gives the last value of a name.
    ///
    /// # Errors
    /// Names the header that is missing or wrong.
    pub fn read<'a>(get: impl Fn(&str) -> Option<&'a [u8]>) -> Result<Self, RecordError> {
        Ok(Self {
            account: required(&get, header::ACCOUNT, "an account", |t| t.parse().ok())?,
            id: required(&get, header::CE_ID, "an event id", |t| t.parse().ok())?,
            kind: required(&get, header::CE_TYPE, "an event's name", EventKind::parse)?,
            time: required(&get, header::CE_TIME, "an RFC 3339 time", |t| {
                t.parse().ok()
            })?,
            traceparent: optional(&get, header::TRACEPARENT, "a text", |t| Some(t.to_owned()))?,
        })
    }

    /// Reads the headers of a record of `feedback.events`, and sees that its value is
    /// the envelope that they describe. `get` gives the last value of a name.
    ///
    /// # Errors
    /// Says what is missing or wrong.
    pub fn beside<'a>(
        envelope: &[u8],
        get: impl Fn(&str) -> Option<&'a [u8]>,
    ) -> Result<Self, NotAnEvent> {
        let headers = Self::read(get)?;
        let (kind, id) = (headers.kind, headers.id);
        let named = EnvelopeHead { kind, id };
        // The producer's own bytes need no second reading.
        if named.is_outside_of(envelope) || EnvelopeHead::parse(envelope)? == named {
            Ok(headers)
        } else {
            Err(NotAnEvent::Different)
        }
    }

    /// The headers to write.
    #[must_use]
    pub fn write(&self) -> Headers {
        let mut headers = vec![
            (header::ACCOUNT, self.account.to_string()),
            (header::CE_ID, self.id.to_string()),
            (header::CE_TYPE, self.kind.to_string()),
            (header::CE_SOURCE, CE_SOURCE.to_owned()),
            (header::CE_TIME, self.time.to_string()),
            (header::CE_SPECVERSION, CE_SPECVERSION.to_owned()),
        ];
        if let Some(traceparent) = &self.traceparent {
            let traceparent = cut(traceparent, MAX_HEADER_BYTES).to_owned();
            headers.push((header::TRACEPARENT, traceparent));
        }
        headers
    }
}

impl DeliveryHeaders {
    /// The headers of a delivery that may be sent at once for the first time.
    #[must_use]
    pub const fn first(endpoint: EndpointId, now: Timestamp, source: Option<Coordinates>) -> Self {
        Self {
            endpoint,
            attempt: 1,
            first_at: now,
            due_at: None,
            deferrals: 0,
            last_status: None,
            last_error: None,
            reason: None,
            source,
        }
    }

    /// Reads a delivery's headers. `get` gives the last value of a name.
    ///
    /// # Errors
    /// Names the header that is missing or wrong.
    pub fn read<'a>(get: impl Fn(&str) -> Option<&'a [u8]>) -> Result<Self, RecordError> {
        let millis = |t: &str| t.parse().ok().map(Timestamp::from_millis);
        Ok(Self {
            endpoint: required(&get, header::ENDPOINT, "an endpoint id", |t| t.parse().ok())?,
            attempt: required(&get, header::ATTEMPT, "a whole number", |t| t.parse().ok())?,
            first_at: required(&get, header::FIRST_AT, "milliseconds since 1970", millis)?,
            due_at: optional(&get, header::DUE_AT, "milliseconds since 1970", millis)?,
            deferrals: optional(&get, header::DEFERRALS, "a whole number", |t| {
                t.parse().ok()
            })?
            .unwrap_or(0),
            last_status: optional(&get, header::LAST_STATUS, "a status", |t| t.parse().ok())?,
            last_error: optional(&get, header::LAST_ERROR, "cause: text", LastError::parse)?,
            reason: optional(&get, header::REASON, "a reason", DeadLetterReason::parse)?,
            source: optional(
                &get,
                header::SOURCE,
                "topic/partition/offset",
                Coordinates::parse,
            )?,
        })
    }

    /// The headers to write beside the event's.
    #[must_use]
    pub fn write(&self, event: &EventHeaders) -> Headers {
        let mut headers = event.write();
        headers.push((header::ENDPOINT, self.endpoint.to_string()));
        headers.push((header::ATTEMPT, self.attempt.to_string()));
        headers.push((header::FIRST_AT, self.first_at.millis().to_string()));
        headers.push((header::DEFERRALS, self.deferrals.to_string()));
        let mut push = |name, value: Option<String>| headers.extend(value.map(|v| (name, v)));
        push(
            header::DUE_AT,
            self.due_at.map(|at| at.millis().to_string()),
        );
        push(header::LAST_STATUS, self.last_status.map(|s| s.to_string()));
        push(
            header::LAST_ERROR,
            self.last_error.as_ref().map(LastError::bounded),
        );
        push(header::REASON, self.reason.map(|r| r.as_str().to_owned()));
        push(
            header::SOURCE,
            self.source.as_ref().map(ToString::to_string),
        );
        headers
    }

    /// The delivery's id, given its event's.
    #[must_use]
    pub const fn id(&self, event: EventId) -> DeliveryId {
        DeliveryId {
            event,
            endpoint: self.endpoint,
        }
    }
}

impl LastError {
    fn parse(text: &str) -> Option<Self> {
        let (cause, text) = text.split_once(": ")?;
        Some(Self {
            cause: Cause::parse(cause)?,
            text: text.to_owned(),
        })
    }

    fn bounded(&self) -> String {
        cut(&self.to_string(), MAX_HEADER_BYTES).to_owned()
    }
}

/// The longest beginning of a text that has at most `bytes` bytes.
#[must_use]
pub fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

fn required<'a, T>(
    get: &impl Fn(&str) -> Option<&'a [u8]>,
    name: &'static str,
    allowed: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, RecordError> {
    optional(get, name, allowed, parse)?.ok_or(RecordError::Missing(name))
}

fn optional<'a, T>(
    get: &impl Fn(&str) -> Option<&'a [u8]>,
    name: &'static str,
    allowed: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, RecordError> {
    let Some(bytes) = get(name) else {
        return Ok(None);
    };
    std::str::from_utf8(bytes)
        .ok()
        .and_then(parse)
        .map(Some)
        .ok_or_else(|| RecordError::Invalid {
            name,
            found: cut(&String::from_utf8_lossy(bytes), 80).to_owned(),
            allowed,
        })
}
