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
    #[error("not UTF-8: the byte at offset {offset} does not fit")]
    NotUtf8 {
        /// Of the first byte that does not fit.
        offset: usize,
    },
    /// The text is not JSON (RFC 8259).
    #[error("not JSON: {detail}")]
    NotJson {
        /// What the parser found, and where.
        detail: String,
    },
    /// The JSON is not an event of the catalogue.
    #[error("{path}: found {found}, allowed is {allowed}")]
    Invalid {
        /// Where, as a JSON path: `$.data.score`.
        path: String,
        /// What stands there: a value as JSON text, its start where it is long.
        found: String,
        /// What is allowed there.
        allowed: String,
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
    // The only line of an input may be one of many in a file.
    let detail = if e.line() <= 1 {
        format!("{} at column {}", without_position(e), e.column())
    } else {
        e.to_string()
    };
    InputError::NotJson { detail }
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
            found: shape(text).to_owned(),
            allowed: "an object".to_owned(),
        });
    }
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let mut path = root.to_owned();
        if e.path().iter().next().is_some() {
            path = format!("{path}.{}", e.path());
        }
        misfit(path, e.inner())
    })
}

/// What serde says of a value at `path`, or of one in the object there.
pub(crate) fn misfit(path: String, e: &serde_json::Error) -> InputError {
    let words = without_position(e);
    let (path, found, allowed) = if let Some(field) = quoted_after("missing field ", &words) {
        let allowed = allowed_in(field);
        (format!("{path}.{field}"), "nothing".to_owned(), allowed)
    } else if let Some(field) = quoted_after("duplicate field ", &words) {
        (format!("{path}.{field}"), "it twice".to_owned(), "once")
    } else if let Some((found, allowed)) = words.rsplit_once(", expected ") {
        (path, as_json(found), allowed)
    } else {
        // No id, a number that no type holds, half of a surrogate pair.
        let allowed = allowed_in(path.rsplit('.').next().unwrap_or_default());
        (path, words.clone(), allowed)
    };
    InputError::Invalid {
        path: bounded(&path),
        found: bounded(&found),
        allowed: allowed.to_owned(),
    }
}

/// serde's words for a value, as JSON has it.
fn as_json(found: &str) -> String {
    let bare =
        |words: &'static str| move |found: &str| found.strip_prefix(words).map(str::to_owned);
    let value = bare("invalid type: ")(found)
        .or_else(|| bare("invalid value: ")(found))
        .unwrap_or_else(|| found.to_owned());
    let quoted = ["integer `", "floating point `", "boolean `"]
        .iter()
        .find_map(|kind| value.strip_prefix(kind)?.strip_suffix('`'));
    match (quoted, value.strip_prefix("string "), value.as_str()) {
        (Some(literal), ..) => literal.to_owned(),
        (None, Some(text), _) => text.to_owned(),
        (None, None, "sequence") => "an array".to_owned(),
        (None, None, "map") => "an object".to_owned(),
        (None, None, other) => other.to_owned(),
    }
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
fn without_position(e: &serde_json::Error) -> String {
    let mut message = e.to_string();
    let position = format!(" at line {} column {}", e.line(), e.column());
    if message.ends_with(&position) {
        message.truncate(message.len() - position.len());
    }
    message
}

/// What comes from the input may be as long as it: its start tells enough.
fn bounded(text: &str) -> String {
    const MOST: usize = 160;
    if text.len() <= MOST {
        return text.to_owned();
    }
    format!("{} ...", cut(text, MOST))
}
