//! How a test event ended.

use std::time::Duration;

use delivery::{Attempt, Refused};
use domain::Cause;

use super::diagnosis::Diagnosis;
use super::outgoing::ShownRequest;

/// How a test event ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestResult {
    /// The endpoint answered with 2xx.
    pub(crate) delivered: bool,
    /// The status, where there was an answer.
    pub(crate) status: Option<u16>,
    /// How long it took.
    pub(crate) took: Duration,
    /// The start of the answer's body; `None` without one. A receiver's text.
    pub(crate) response_body: Option<String>,
    /// `cause: text` of a failure.
    pub(crate) reason: Option<String>,
    /// The cause alone.
    pub(crate) cause: Option<Cause>,
    /// What is wrong, finer than the cause.
    pub(crate) diagnosis: Option<Diagnosis>,
    /// What was sent; `None` where the guard ended it before.
    pub(crate) request: Option<ShownRequest>,
}

impl TestResult {
    pub(super) fn of(attempt: &Attempt, request: ShownRequest) -> Self {
        let start = &attempt.response_start;
        Self {
            delivered: attempt.outcome.is_success(),
            status: attempt.outcome.status(),
            took: attempt.took,
            response_body: (!start.is_empty()).then(|| String::from_utf8_lossy(start).into_owned()),
            reason: attempt.failure(),
            cause: attempt.outcome.cause(),
            diagnosis: Diagnosis::of(attempt.outcome, attempt.certificate),
            request: Some(request),
        }
    }

    /// The guard's settings have become stricter since the endpoint was made.
    pub(super) fn refused(refused: &Refused) -> Self {
        Self {
            delivered: false,
            status: None,
            took: Duration::ZERO,
            response_body: None,
            reason: Some(format!("{}: {refused}", Cause::ForbiddenAddress.as_str())),
            cause: Some(Cause::ForbiddenAddress),
            diagnosis: Some(Diagnosis::AddressNotAllowed),
            request: None,
        }
    }
}
