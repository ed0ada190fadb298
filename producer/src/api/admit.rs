//! Whether a request is let in, decided by its head alone.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::extract::Query;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use domain::AccountId;
use serde::Deserialize;
use service::problem::{ABOUT_BLANK, Problem, ProblemError};
use service::tokens::Role;
use service::traces::TraceContext;
use tokio::sync::OwnedSemaphorePermit;

use super::media::Media;
use super::{Api, access, refusals};

/// Bytes of a body with one event. Written with much white space it may be
/// longer than its envelope, which has at most 64 KiB.
pub(super) const MAX_EVENT_BODY: usize = 128 * 1024;
/// Bytes of an NDJSON body.
pub(super) const MAX_NDJSON_BODY: usize = 1024 * 1024;
/// Characters of an `Idempotency-Key`.
pub(super) const MAX_KEY: usize = 255;

/// A request that is let in.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) account: AccountId,
    /// Whether the rate of ingest tokens counts.
    pub(crate) limited: bool,
    pub(crate) ndjson: bool,
    /// The `Idempotency-Key`.
    pub(crate) key: Option<String>,
    /// The caller's trace, where there is one.
    pub(crate) trace: Option<TraceContext>,
    /// How long the body may be.
    pub(crate) most_bytes: usize,
    /// The memory for the body.
    pub(crate) _room: OwnedSemaphorePermit,
}

#[derive(Deserialize)]
struct Parameters {
    key: Option<String>,
}

impl Api {
    /// Lets a request in.
    ///
    /// # Errors
    /// 508, 401, 403, 415, 400, 429 or 503.
    pub(crate) fn admit(&self, parts: &Parts, now: Instant) -> Result<Admitted, Problem> {
        let headers = &parts.headers;
        if headers.contains_key("x-feedbackpro-event") {
            return Err(looped());
        }
        let Query(Parameters { key }) = Query::try_from_uri(&parts.uri)?;
        let media = Media::of(headers);
        let caller = access::caller(&self.tokens, headers, key.as_deref(), media)?;
        let most_bytes = match media {
            Media::Json => MAX_EVENT_BODY,
            Media::Text if key.is_some() => MAX_EVENT_BODY,
            Media::Ndjson => MAX_NDJSON_BODY,
            Media::Text | Media::Other => return Err(wrong_type(headers)),
        };
        check_encoding(headers)?;
        let key = idempotency_key(headers)?;
        let account: AccountId = caller
            .account
            .unwrap_or_default()
            .parse()
            .map_err(|error| Problem::forbidden(format!("the token has no account: {error}")))?;
        let limited = caller.role == Role::Ingest;
        if limited && let Err(wait) = self.rate.take_one(&account, now) {
            return Err(too_fast(wait.as_secs() + 1));
        }
        if !self.topic_seen.load(Ordering::Acquire) {
            return Err(refusals::not_ready());
        }
        Ok(Admitted {
            account,
            limited,
            ndjson: media == Media::Ndjson,
            key,
            trace: trace(headers),
            most_bytes,
            _room: self.room(headers, most_bytes)?,
        })
    }

    /// Memory for a body: what it says to have, at most what is read of it.
    fn room(&self, headers: &HeaderMap, most: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let length = headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let kib = length.unwrap_or(most).min(most).div_ceil(1024).max(1);
        let kib = u32::try_from(kib).unwrap_or(u32::MAX);
        Arc::clone(&self.bodies)
            .try_acquire_many_owned(kib)
            .map_err(|_| refusals::no_memory())
    }
}

/// The request's `traceparent`; none where there is more than one, or one that
/// breaks the standard.
fn trace(headers: &HeaderMap) -> Option<TraceContext> {
    let mut values = headers.get_all("traceparent").iter();
    let only = values.next().filter(|_| values.next().is_none());
    TraceContext::parse(only?.to_str().ok()?)
}

pub(super) fn looped() -> Problem {
    Problem::new(
        StatusCode::LOOP_DETECTED,
        "loop",
        "this request is itself a webhook (it has X-FeedbackPro-Event): an endpoint must not \
         point at the ingest API",
    )
}

pub(super) fn too_fast(seconds: u64) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate-limited",
        "the account's ingest tokens have sent more events a second than ingest.max_per_second \
         allows; tokens with the role account are not limited",
    )
    .retry_after(seconds)
}

pub(super) fn wrong_type(headers: &HeaderMap) -> Problem {
    let found = headers.get(header::CONTENT_TYPE).map_or_else(
        || "none".to_owned(),
        |value| String::from_utf8_lossy(value.as_bytes()).into_owned(),
    );
    let allowed = "application/json for one event, application/x-ndjson for one a line, \
                   text/plain for one event with the token of the widget in ?key=";
    unsupported("Content-Type", found, allowed)
}

fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let mut other = encodings.filter(|it| !it.as_bytes().eq_ignore_ascii_case(b"identity"));
    match other.next() {
        None => Ok(()),
        Some(encoding) => {
            let found = String::from_utf8_lossy(encoding.as_bytes()).into_owned();
            let allowed = "none: the body is taken uncompressed";
            Err(unsupported("Content-Encoding", found, allowed))
        }
    }
}

fn unsupported(name: &str, found: String, allowed: &str) -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ABOUT_BLANK,
        format!("this {name} is not taken; allowed: {allowed}"),
    )
    .with_error(
        ProblemError::new(name, "not taken here")
            .found(found)
            .allowed(allowed),
    )
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    let (Some(value), further) = (values.next(), values.next()) else {
        return Ok(None);
    };
    let visible = value.as_bytes().iter().all(u8::is_ascii_graphic);
    let text = value.to_str().unwrap_or_default();
    if further.is_none() && visible && (1..=MAX_KEY).contains(&text.len()) {
        return Ok(Some(text.to_owned()));
    }
    Err(no_key())
}

pub(super) fn no_key() -> Problem {
    let allowed = "one value of 1 to 255 visible ASCII characters";
    Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid-idempotency-key",
        format!("the Idempotency-Key cannot be used; allowed: {allowed}"),
    )
    .with_error(ProblemError::new("Idempotency-Key", "not a key").allowed(allowed))
}
