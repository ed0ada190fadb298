//! Reading request bodies within bounds.

use std::fmt;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use tokio::time::timeout;

use crate::problem::{ABOUT_BLANK, Problem, ProblemError};

/// How long a client may take to send a body.
const BODY_TIME: Duration = Duration::from_secs(30);

/// What is read and thrown away of a body over its limit, so that the client has sent all and
/// reads the 413 instead of meeting a reset connection.
const DISCARD_BYTES: usize = 32 * 1024 * 1024;

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// 413 over the limit, 408 after 30 s, 400 when the connection ends early.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    timeout(BODY_TIME, collect(body, limit))
        .await
        .unwrap_or_else(|_| Err(too_slow()))
}

fn too_slow() -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        ABOUT_BLANK,
        format!("the body was not complete after {} s", BODY_TIME.as_secs()),
    )
}

/// The refusals of [`read`] with this limit, for documents.
#[must_use]
pub fn reading_refusals(limit: usize) -> [Problem; 2] {
    [too_slow(), Problem::body_too_large(limit)]
}

/// The refusals of [`read`] with this limit and of [`json`], for documents.
pub(crate) fn refusals(limit: usize) -> Vec<Problem> {
    let mistake = ProblemError::new("$.events", "invalid type: string").allowed("a sequence");
    let mut refusals = Vec::from(reading_refusals(limit));
    refusals.extend([
        not_json(&"EOF while parsing an object at line 1 column 14"),
        unfit(mistake),
    ]);
    refusals
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    let mut kept = Vec::new();
    let mut seen = 0usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                ABOUT_BLANK,
                "the connection ended before the body was complete",
            )
        })?;
        let Ok(data) = frame.into_data() else {
            continue; // trailers
        };
        seen = seen.saturating_add(data.len());
        if seen <= limit {
            kept.extend_from_slice(&data);
        } else if seen - limit > DISCARD_BYTES {
            break;
        } else {
            kept = Vec::new();
        }
    }
    if seen > limit {
        return Err(Problem::body_too_large(limit));
    }
    Ok(kept.into())
}

/// Reads a JSON object into `T`.
///
/// # Errors
/// 400 when it is not JSON (or not UTF-8), 422 with the JSON path when it does not fit `T`.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| not_json(&error))?;
    // The whole text first: a wrong value before broken syntax is still not JSON.
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| not_json(&error))?;
    if !text.trim_start().starts_with('{') {
        // serde would take a list for a struct.
        return Err(unfit(
            ProblemError::new("$", "not an object").allowed("a JSON object"),
        ));
    }
    let mut source = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut source).map_err(|error| {
        if error.inner().classify() != Category::Data {
            return not_json(error.inner()); // nested too deep
        }
        let path = error.path().to_string();
        let path = if path == "." {
            "$".to_owned()
        } else {
            format!("$.{path}")
        };
        unfit(misfit(path, error.inner()))
    })
}

/// What serde says of a value at `path`, or of a field that the object there lacks.
fn misfit(path: String, error: &serde_json::Error) -> ProblemError {
    let mut words = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    if let Some(start) = words.strip_suffix(&position).map(str::len) {
        words.truncate(start);
    }
    let missing = words.strip_prefix("missing field `");
    if let Some(field) = missing.and_then(|rest| rest.strip_suffix('`')) {
        return ProblemError::new(format!("{path}.{field}"), "it is missing");
    }
    match words.rsplit_once(", expected ") {
        Some((found, allowed)) => ProblemError::new(path, found).allowed(allowed),
        None => ProblemError::new(path, words),
    }
}

fn unfit(error: ProblemError) -> Problem {
    let detail = "the body is JSON, but not what is allowed here";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-body", detail).with_error(error)
}

fn not_json(error: &dyn fmt::Display) -> Problem {
    let detail = format!("the body is not JSON in UTF-8: {error}");
    Problem::new(StatusCode::BAD_REQUEST, "not-json", detail)
}
