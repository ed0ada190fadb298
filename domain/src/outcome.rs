//! What one attempt at a customer's endpoint ended with.

use std::time::Duration;

use schemars::JsonSchema;

/// Why an attempt got no usable answer. The word of each cause is part of the
/// API (`cause: text` in test results and attempt records).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Cause {
    /// No complete answer within the time limit (headers and bounded body).
    Timeout,
    /// The name could not be resolved.
    Dns,
    /// No TCP connection.
    Connect,
    /// No TLS session: expired, untrusted or wrong certificate, no common version.
    Tls,
    /// The address guard refused the address, name, scheme or port.
    ForbiddenAddress,
    /// The answer was not HTTP/1.x, broke off, or exceeded the header limits.
    Protocol,
    /// An answer whose status is not 2xx.
    Status,
}

impl Cause {
    /// All of them, as metrics and documents list them.
    pub const ALL: [Self; 7] = [
        Self::Timeout,
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::ForbiddenAddress,
        Self::Protocol,
        Self::Status,
    ];

    /// The cause that a word stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word)
    }

    /// The word used in records, metrics and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::ForbiddenAddress => "forbidden_address",
            Self::Protocol => "protocol",
            Self::Status => "status",
        }
    }
}

/// The outcome of one attempt, as far as the verdict needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint answered with a final status.
    Answered {
        /// HTTP status code, 100 to 999.
        status: u16,
        /// `Retry-After` (RFC 9110 section 10.2.3), already relative to now.
        retry_after: Option<Duration>,
    },
    /// There was no usable answer. Never [`Cause::Status`].
    Failed(Cause),
}

impl Outcome {
    /// True for a 2xx answer.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(
            self,
            Self::Answered {
                status: 200..=299,
                ..
            }
        )
    }

    /// The status, where there was an answer.
    #[must_use]
    pub const fn status(self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(status),
            Self::Failed(_) => None,
        }
    }

    /// The cause of a failure; `None` for a 2xx answer.
    #[must_use]
    pub const fn cause(self) -> Option<Cause> {
        match self {
            Self::Answered {
                status: 200..=299, ..
            } => None,
            Self::Answered { .. } => Some(Cause::Status),
            Self::Failed(cause) => Some(cause),
        }
    }
}
