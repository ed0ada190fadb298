//! The envelope: read from what a shop posts, written as the bytes that every
//! attempt delivers.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::{EventData, EventId, EventKind, Timestamp};

/// How long an envelope may be, in bytes.
pub const MAX_ENVELOPE_BYTES: usize = 64 * 1024;

/// Why an input is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The bytes are not text.
    #[error("the body is not UTF-8: the byte at offset {offset} does not fit")]
    NotUtf8 {
        /// Of the first byte that does not fit.
        offset: usize,
    },
    /// The text is not JSON (RFC 8259).
    #[error("the body is not JSON: {detail}")]
    NotJson {
        /// What the parser found, with line and column.
        detail: String,
    },
    /// The JSON is not an event of the catalogue.
    #[error("{path}: {detail}")]
    Invalid {
        /// Where, as a JSON path: `$.data.score`.
        path: String,
        /// What was found and what is allowed.
        detail: String,
    },
    /// The envelope would be longer than [`MAX_ENVELOPE_BYTES`].
    #[error(
        "the event is {found} bytes long as it would be delivered: allowed are at most {MAX_ENVELOPE_BYTES}"
    )]
    TooLong {
        /// Its length in bytes.
        found: usize,
    },
}

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
        let not_json = |e: serde_json::Error| InputError::NotJson {
            detail: e.to_string(),
        };
        let head: Head<'_> = serde_json::from_slice(bytes).map_err(not_json)?;
        let id = head.id.parse().map_err(|e| InputError::Invalid {
            path: "$.id".to_owned(),
            detail: format!("{e}"),
        })?;
        Ok(Self {
            kind: head.event,
            id,
        })
    }
}

/// The bytes as text that is JSON from end to end.
fn json_text(bytes: &[u8]) -> Result<&str, InputError> {
    let text = std::str::from_utf8(bytes).map_err(|e| InputError::NotUtf8 {
        offset: e.valid_up_to(),
    })?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|e| InputError::NotJson {
        detail: e.to_string(),
    })?;
    Ok(text)
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

/// Reads JSON that stands at `root` of the input, with the path of what is wrong.
fn read<'a, T: Deserialize<'a>>(root: &str, text: &'a str) -> Result<T, InputError> {
    if !text.trim_start().starts_with('{') {
        return Err(InputError::Invalid {
            path: root.to_owned(),
            detail: format!("found {}, allowed is an object", shape(text)),
        });
    }
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let detail = without_position(&e.inner().to_string()).to_owned();
        InputError::Invalid {
            path: path_of(root, e.path(), &detail),
            detail,
        }
    })
}

/// What kind of JSON value a text is, from its first character.
fn shape(text: &str) -> &'static str {
    match text.trim_start().bytes().next() {
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        Some(_) => "a number",
        None => "nothing",
    }
}

/// serde names a missing field only in its text, and the path is that of the
/// object around it; the reader wants the path of the field.
fn path_of(root: &str, path: &serde_path_to_error::Path, detail: &str) -> String {
    let mut full = root.to_owned();
    if path.iter().next().is_some() {
        full = format!("{full}.{path}");
    }
    let missing = detail
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'));
    match missing {
        Some(field) => format!("{full}.{field}"),
        None => full,
    }
}

/// serde_json ends its messages with a position within the text it was given,
/// which for `data` is not the position in the request.
fn without_position(message: &str) -> &str {
    message
        .split_once(" at line ")
        .map_or(message, |(message, _)| message)
}
