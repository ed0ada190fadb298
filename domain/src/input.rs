//! Strict reading of JSON, and errors that say where, what was found and what
//! is allowed there.

use serde::{Deserialize, de::IgnoredAny};

use crate::{
    EventId, EventKind, MAX_ENVELOPE_BYTES, Score, Segment, Text, field::Field, record::cut,
    timestamp,
};

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

pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, InputError> {
    std::str::from_utf8(bytes).map_err(|e| InputError::NotUtf8 {
        offset: e.valid_up_to(),
    })
}

pub(crate) fn not_json(e: &serde_json::Error) -> InputError {
    InputError::NotJson {
        detail: e.to_string(),
    }
}

/// The bytes as text that is JSON from end to end.
pub(crate) fn json_text(bytes: &[u8]) -> Result<&str, InputError> {
    let text = utf8(bytes)?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|e| not_json(&e))?;
    Ok(text)
}

/// Reads JSON that stands at `root` of the input, with the path of what is wrong.
pub(crate) fn read<'a, T: Deserialize<'a>>(root: &str, text: &'a str) -> Result<T, InputError> {
    if !text.trim_start().starts_with('{') {
        return Err(InputError::Invalid {
            path: root.to_owned(),
            detail: format!("found {}, allowed is an object", shape(text)),
        });
    }
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let found = without_position(e.inner());
        let (field, detail) = if let Some(field) = quoted_after("missing field ", &found) {
            let allowed = allowed_in(field);
            (Some(field), format!("{found}, allowed is {allowed}"))
        } else if let Some(field) = quoted_after("duplicate field ", &found) {
            (Some(field), format!("{found}, allowed is one"))
        } else {
            (None, bounded(&found))
        };
        InputError::Invalid {
            path: path_of(root, e.path(), field),
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

/// serde names a field that is missing or stands twice only in its text, and
/// the path is that of the object around it; the reader wants the path of the
/// field.
fn quoted_after<'a>(words: &str, detail: &'a str) -> Option<&'a str> {
    detail
        .strip_prefix(words)?
        .strip_prefix('`')?
        .strip_suffix('`')
}

fn path_of(root: &str, path: &serde_path_to_error::Path, field: Option<&str>) -> String {
    let mut full = root.to_owned();
    if path.iter().next().is_some() {
        full = format!("{full}.{path}");
    }
    if let Some(field) = field {
        full = format!("{full}.{field}");
    }
    bounded(&full)
}

/// What a field may hold that every input has.
fn allowed_in(field: &str) -> &'static str {
    match field {
        "event" => EventKind::ALLOWED,
        "id" => EventId::ALLOWED,
        "timestamp" => timestamp::ALLOWED,
        "data" => "an object",
        "score" => Score::ALLOWED,
        "segment" => Segment::ALLOWED,
        _ => Text::ALLOWED,
    }
}

/// serde_json ends its messages with a position within the text it was given,
/// which for `data` is not the position in the request.
pub(crate) fn without_position(e: &serde_json::Error) -> String {
    let mut message = e.to_string();
    let position = format!(" at line {} column {}", e.line(), e.column());
    if message.ends_with(&position) {
        message.truncate(message.len() - position.len());
    }
    message
}

/// What was found comes from the input and may be as long as it: the middle is
/// left out. What is allowed stands at the end and is kept.
pub(crate) fn bounded(message: &str) -> String {
    const HEAD: usize = 160;
    const TAIL: usize = 240;
    if message.len() <= HEAD + TAIL {
        return message.to_owned();
    }
    let tail = message.ceil_char_boundary(message.len() - TAIL);
    format!(
        "{} ... {}",
        cut(message, HEAD),
        message.get(tail..).unwrap_or_default()
    )
}
