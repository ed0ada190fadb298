//! What one attempt ended with.

use std::time::{Duration, Instant};

use domain::{Cause, Outcome};

use crate::exchange::Ended;
use crate::guard::Refused;

/// Bytes of a reason's text. Parts of it come from the endpoint or its name server.
const MAX_REASON: usize = 256;

/// What is most often wrong with an endpoint's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFault {
    /// It has expired.
    Expired,
    /// Nobody known has issued it: self-signed, or an intermediate certificate
    /// is missing.
    UnknownIssuer,
    /// It is for another name.
    OtherName,
}

/// One attempt at an endpoint.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// What the verdict is made of.
    pub outcome: Outcome,
    /// Why there was no usable answer, in words of at most 256 bytes; `None` when
    /// the endpoint answered. See [`Attempt::failure`].
    pub reason: Option<String>,
    /// What is wrong with the endpoint's certificate, where that is why.
    pub certificate: Option<CertificateFault>,
    /// When it began.
    pub started: Instant,
    /// How long it took.
    pub took: Duration,
    /// The first bytes of the response's body as they came ([`Limits::response_start`]),
    /// also of one that broke off. A receiver's text: escape it wherever it is shown.
    ///
    /// [`Limits::response_start`]: crate::Limits::response_start
    pub response_start: Vec<u8>,
    /// True when it ended on a connection that had been used before.
    pub reused_connection: bool,
}

impl Attempt {
    /// The attempt that ended so just now.
    pub(crate) fn new(started: Instant, reused_connection: bool, ended: Ended) -> Self {
        let (failure, response_start) = match ended {
            Ended::Answered(response) => {
                return Self {
                    outcome: Outcome::Answered {
                        status: response.status.as_u16(),
                        retry_after: response.retry_after,
                    },
                    reason: None,
                    certificate: None,
                    started,
                    took: started.elapsed(),
                    response_start: response.start,
                    reused_connection,
                };
            }
            Ended::Failed { failure, start } => (failure, start),
            Ended::Silent(failure) => (failure, Vec::new()),
            Ended::Unsent(_) => {
                let text = "the connection was closed at once";
                (Failure::new(Cause::Protocol, text), Vec::new())
            }
        };
        Self {
            outcome: Outcome::Failed(failure.cause),
            reason: Some(failure.text),
            certificate: failure.certificate,
            started,
            took: started.elapsed(),
            response_start,
            reused_connection,
        }
    }

    /// When it ended.
    #[must_use]
    pub fn ended(&self) -> Instant {
        self.started + self.took
    }

    /// `cause: text` for everything but a 2xx answer, as the API shows it.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let cause = self.outcome.cause()?;
        let text = match (&self.reason, self.outcome.status()) {
            (Some(reason), _) => reason.clone(),
            (None, Some(status @ 300..=399)) => {
                format!("the endpoint answered {status}, redirects are not followed")
            }
            (None, status) => format!(
                "the endpoint answered {}, expected 200 to 299",
                status.unwrap_or_default()
            ),
        };
        Some(format!("{}: {text}", cause.as_str()))
    }
}

/// Why an attempt got no usable answer.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    pub(crate) text: String,
    pub(crate) certificate: Option<CertificateFault>,
}

impl Failure {
    /// The text is cut to 256 bytes.
    pub(crate) fn new(cause: Cause, text: impl Into<String>) -> Self {
        let mut text = text.into();
        text.truncate(text.floor_char_boundary(MAX_REASON));
        Self {
            cause,
            text,
            certificate: None,
        }
    }

    /// The time ran out `during` a step.
    pub(crate) fn timeout(limit: Duration, during: &str) -> Self {
        Self::new(
            Cause::Timeout,
            format!("not done within {} s: {during}", limit.as_secs_f32()),
        )
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::new(Cause::ForbiddenAddress, refused.to_string())
    }
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        let start = Vec::new();
        Self::Failed { failure, start }
    }
}
