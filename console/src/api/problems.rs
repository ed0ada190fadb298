//! Refusals as problem documents.

use axum::http::StatusCode;
use service::problem::{ABOUT_BLANK, Problem, ProblemError};

use kafka::LookupError;

use super::etag;
use crate::actor::NotForAccount;
use crate::attempts::AttemptsError;
use crate::delivery_log::NoPayload;
use crate::endpoints::{Mistake, Refusal, Unavailable, Wrong};

/// Seconds after which a request may be tried again that found Kafka away.
const RETRY_AFTER: u64 = 5;

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(mistakes) => {
                let detail = "the body is JSON, but not what is allowed here";
                let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-body", detail);
                mistakes
                    .into_iter()
                    .map(mistake)
                    .fold(problem, Self::with_error)
            }
            Refusal::Account(why) => why.into(),
            Refusal::NotFound => Self::not_found("there is no such endpoint"),
            Refusal::VersionDiffers { current } => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "version-differs",
                format!(
                    "the endpoint was changed meanwhile, its ETag is {} now: get it again, \
                     then change it",
                    etag::of(current)
                ),
            ),
            Refusal::TooMany { limit } => Self::new(
                StatusCode::CONFLICT,
                "too-many-endpoints",
                format!(
                    "the account has {limit} endpoints, which is as many as it may have: \
                     delete one first"
                ),
            ),
            Refusal::TooManyTests { limit, retry_after } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-test-events",
                format!("an account may send {limit} test events a minute"),
            )
            .retry_after(retry_after),
            Refusal::Sealed(error) => {
                tracing::error!(%error, "a signing secret cannot be opened");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "secret-sealed",
                    "the endpoint's secret cannot be opened with the keys of this console: \
                     tell its operator",
                )
            }
            Refusal::Unavailable(unavailable) => unavailable.into(),
        }
    }
}

impl From<NotForAccount> for Problem {
    fn from(why: NotForAccount) -> Self {
        match why {
            NotForAccount::OutOfReach { .. } => Self::forbidden(why.to_string()),
            NotForAccount::Unnamed => {
                let missing = Mistake::new("$.account", Wrong::AccountMissing);
                Refusal::Invalid(vec![missing]).into()
            }
        }
    }
}

impl From<Unavailable> for Problem {
    fn from(unavailable: Unavailable) -> Self {
        let detail = match &unavailable {
            Unavailable::Loading
            | Unavailable::AuditLoading
            | Unavailable::NotWritten
            | Unavailable::NotReadBack => unavailable.to_string(),
            Unavailable::NotAudited(error) => {
                tracing::error!(%error, "the audit was not told, and so nothing was done");
                unavailable.to_string()
            }
            Unavailable::Publish(error) => {
                tracing::error!(%error, "a change of an endpoint was not acknowledged");
                if error.may_be_written() {
                    "Kafka has not acknowledged the change: it may be made or not, look before \
                     you try again"
                        .to_owned()
                } else {
                    "Kafka does not take the change; nothing was changed".to_owned()
                }
            }
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ABOUT_BLANK, detail).retry_after(RETRY_AFTER)
    }
}

impl From<AttemptsError> for Problem {
    fn from(error: AttemptsError) -> Self {
        let detail = match &error {
            AttemptsError::Away => error.to_string(),
            AttemptsError::Index(index) => {
                tracing::error!(error = %index, "the index of attempts was not read");
                "the index of attempts cannot be read now".to_owned()
            }
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ABOUT_BLANK, detail).retry_after(RETRY_AFTER)
    }
}

impl From<NoPayload> for Problem {
    fn from(why: NoPayload) -> Self {
        match why {
            NoPayload::PlaceUnknown | NoPayload::Absent => Self::not_found(why.to_string()),
            NoPayload::Lookup(LookupError::Expired) => Self::new(
                StatusCode::GONE,
                "event-expired",
                "Kafka does not keep the event any more: its topic's retention is over",
            ),
            NoPayload::Lookup(LookupError::Absent) => Self::from(NoPayload::Absent),
            NoPayload::Lookup(error @ (LookupError::Busy | LookupError::Unavailable(_))) => {
                tracing::warn!(%error, "an event was not read");
                let detail = "the event cannot be read now";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "kafka-unavailable", detail)
                    .retry_after(RETRY_AFTER)
            }
        }
    }
}

fn mistake(mistake: Mistake) -> ProblemError {
    let error = ProblemError::new(mistake.path, mistake.wrong.detail());
    match mistake.wrong.allowed() {
        Some(allowed) => error.allowed(allowed),
        None => error,
    }
}
