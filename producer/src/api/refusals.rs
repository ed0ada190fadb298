//! What is answered when an event is not accepted.

use axum::http::StatusCode;
use domain::InputError;
use kafka::PublishError;
use service::problem::{Problem, ProblemError};

use crate::intake::Refusal;

/// Seconds after which a request may find room.
pub(crate) const RETRY_WHEN_FULL: u64 = 1;
/// Seconds after which a cluster that did not answer may do so.
const RETRY_WHEN_DOWN: u64 = 5;

/// The type of every 503 here.
const UNAVAILABLE: &str = "kafka-unavailable";

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Event(error) => not_an_event(error),
            Refusal::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "this Idempotency-Key was used for another body within the last 10 minutes; send \
                 the same body with it, byte for byte, or another key with this one",
            ),
            Refusal::NotPublished { error, keyed } => not_published(&error, keyed),
        }
    }
}

pub(crate) fn not_an_event(error: InputError) -> Problem {
    match error {
        error @ InputError::NotUtf8 { .. } => {
            Problem::new(StatusCode::BAD_REQUEST, "not-utf-8", error.to_string())
        }
        error @ InputError::NotJson { .. } => {
            Problem::new(StatusCode::BAD_REQUEST, "not-json", error.to_string())
        }
        InputError::Invalid {
            path,
            found,
            allowed,
        } => {
            let detail = format!("found {found}, allowed is {allowed}");
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Problem::new(status, "invalid-event", format!("{path}: {detail}")).with_error(
                ProblemError::new(path, detail)
                    .found(found)
                    .allowed(allowed),
            )
        }
        error @ InputError::TooLong { .. } => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "event-too-large",
            error.to_string(),
        ),
    }
}

/// Before the topic was seen for the first time.
pub(crate) fn not_ready() -> Problem {
    unavailable(
        RETRY_WHEN_DOWN,
        "Kafka has not been reached yet since the start; the event was not published",
    )
}

/// Too many bodies are held at once.
pub(crate) fn no_memory() -> Problem {
    unavailable(
        RETRY_WHEN_FULL,
        "too many requests are being answered at once; the event was not published",
    )
}

fn not_published(error: &PublishError, keyed: bool) -> Problem {
    match error {
        PublishError::Full => unavailable(
            RETRY_WHEN_FULL,
            "Kafka does not take events as fast as they come; the event was not published",
        ),
        PublishError::Refused { .. } => unavailable(
            RETRY_WHEN_DOWN,
            "Kafka refuses the event, the log of the producer says why; it was not published",
        ),
        PublishError::Unknown { .. } | PublishError::Failed | PublishError::Closed => {
            let repeat = if keyed {
                "sending it again with the same Idempotency-Key is safe, it keeps its id"
            } else {
                "sent again it gets another id, so that it may be delivered twice; with an \
                 Idempotency-Key it would keep its id"
            };
            unavailable(
                RETRY_WHEN_DOWN,
                format!(
                    "Kafka did not acknowledge the event in time; it may have been published all \
                     the same: {repeat}"
                ),
            )
        }
    }
}

fn unavailable(seconds: u64, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE, detail).retry_after(seconds)
}
