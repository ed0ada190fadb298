//! What an attempt's outcome does. One pure function, a row of the table in
//! `docs/ARCHITECTURE.md` each.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Outcome, Schedule, Tier};

/// How long an overloaded endpoint is left alone that names no time.
pub const CLOSED_WITHOUT_RETRY_AFTER: Duration = Duration::from_secs(1);
/// How long `Retry-After` may close an endpoint at most.
pub const LONGEST_CLOSE: Duration = Duration::from_secs(3600);

/// Why a delivery was given up.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DeadLetterReason {
    /// The last retry failed.
    AttemptsExhausted,
    /// The endpoint answered 410 Gone.
    EndpointGone,
    /// The endpoint was disabled when the delivery was due.
    EndpointDisabled,
    /// It was sent again after its endpoint had been deleted.
    EndpointDeleted,
    /// The delivery found no room for three days.
    Expired,
    /// The record could not be read.
    Undecodable,
}

impl DeadLetterReason {
    /// All of them, as filters and documents list them.
    pub const ALL: [Self; 6] = [
        Self::AttemptsExhausted,
        Self::EndpointGone,
        Self::EndpointDisabled,
        Self::EndpointDeleted,
        Self::Expired,
        Self::Undecodable,
    ];

    /// The word in headers, metrics and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::EndpointGone => "endpoint_gone",
            Self::EndpointDisabled => "endpoint_disabled",
            Self::EndpointDeleted => "endpoint_deleted",
            Self::Expired => "expired",
            Self::Undecodable => "undecodable",
        }
    }

    /// Whether no attempt leads to it: the delivery was given up when it was
    /// due, or could never be read.
    #[must_use]
    pub const fn is_without_attempt(self) -> bool {
        match self {
            Self::AttemptsExhausted | Self::EndpointGone => false,
            Self::EndpointDisabled | Self::EndpointDeleted | Self::Expired | Self::Undecodable => {
                true
            }
        }
    }

    /// The reason that a word stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// What becomes of the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The endpoint has it.
    Delivered,
    /// It waits this long, and then the next attempt is made.
    Retry(Tier),
    /// It is given up.
    DeadLetter(DeadLetterReason),
}

/// What becomes of the endpoint's in-flight limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitChange {
    /// It rises.
    Rise,
    /// It stays.
    Same,
    /// It halves, to one at least.
    Halve,
    /// It halves, and nothing is sent for this long.
    HalveAndClose(Duration),
}

/// All that an outcome does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// To the delivery.
    pub next: Next,
    /// To the endpoint's limit.
    pub limit: LimitChange,
    /// Whether the endpoint gets nothing more until a person resumes it.
    pub disable: bool,
}

/// Judges the outcome of attempt number `attempt` (the first is 1).
#[must_use]
pub fn judge(outcome: Outcome, attempt: u32, schedule: &Schedule) -> Verdict {
    let keep_trying = |limit, retry_after| Verdict {
        next: schedule.after_attempt(attempt, retry_after).map_or(
            Next::DeadLetter(DeadLetterReason::AttemptsExhausted),
            Next::Retry,
        ),
        limit,
        disable: false,
    };
    match outcome {
        Outcome::Answered {
            status: 200..=299, ..
        } => Verdict {
            next: Next::Delivered,
            limit: LimitChange::Rise,
            disable: false,
        },
        Outcome::Answered { status: 410, .. } => Verdict {
            next: Next::DeadLetter(DeadLetterReason::EndpointGone),
            limit: LimitChange::Same,
            disable: true,
        },
        Outcome::Answered {
            status: 429 | 502..=504,
            retry_after,
        } => {
            let close = retry_after
                .unwrap_or(CLOSED_WITHOUT_RETRY_AFTER)
                .min(LONGEST_CLOSE);
            keep_trying(LimitChange::HalveAndClose(close), retry_after)
        }
        Outcome::Answered { retry_after, .. } => keep_trying(LimitChange::Same, retry_after),
        Outcome::Failed(cause) => keep_trying(limit_after(cause), None),
    }
}

/// A refused address says nothing of the endpoint's load; everything else that
/// gives no answer may be a sign of too much of it.
const fn limit_after(cause: crate::Cause) -> LimitChange {
    use crate::Cause;
    match cause {
        Cause::Timeout | Cause::Dns | Cause::Connect | Cause::Tls | Cause::Protocol => {
            LimitChange::Halve
        }
        Cause::ForbiddenAddress | Cause::Status => LimitChange::Same,
    }
}
