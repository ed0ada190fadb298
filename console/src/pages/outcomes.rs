//! What became of deliveries, in words.

use domain::{DeadLetterReason, DeferReason, EndpointState};

use crate::attempts::{DeliveryState, Progress};
use crate::web::{Messages, Shell};

pub(super) fn state(t: &'static Messages, state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Delivered => t.delivery_state.delivered,
        DeliveryState::Waiting => t.delivery_state.waiting,
        DeliveryState::Failed => t.delivery_state.failed,
    }
}

/// Why a delivery was given up.
pub(super) fn given_up(t: &'static Messages, reason: DeadLetterReason) -> &'static str {
    match reason {
        DeadLetterReason::AttemptsExhausted => t.reason.attempts_exhausted,
        DeadLetterReason::EndpointGone => t.reason.endpoint_gone,
        DeadLetterReason::EndpointDisabled => t.reason.endpoint_disabled,
        DeadLetterReason::EndpointDeleted => t.reason.endpoint_deleted,
        DeadLetterReason::Expired => t.reason.expired,
        DeadLetterReason::Undecodable => t.reason.undecodable,
    }
}

/// Why a delivery waits without an attempt.
pub(super) fn put_off(t: &'static Messages, reason: DeferReason) -> &'static str {
    match reason {
        DeferReason::Paused => t.put_off.paused,
        DeferReason::Unresponsive => t.put_off.unresponsive,
        DeferReason::Closed => t.put_off.closed,
        DeferReason::Unsigned => t.put_off.unsigned,
    }
}

/// Whether a delivery can be sent again, by its endpoint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resend {
    pub(super) is_possible: bool,
    /// What the person should know first.
    pub(super) note: Option<&'static str>,
}

impl Resend {
    /// `None` is an endpoint that is deleted.
    pub(super) fn of(t: &'static Messages, endpoint: Option<EndpointState>) -> Self {
        let (is_possible, note) = match endpoint {
            Some(EndpointState::Enabled) => (true, None),
            Some(EndpointState::Paused) => (true, Some(t.delivery.resend_paused)),
            Some(EndpointState::Disabled) => (false, Some(t.delivery.resend_disabled)),
            None => (false, Some(t.delivery.resend_deleted)),
        };
        Self { is_possible, note }
    }
}

/// That what is shown is not whole yet.
pub(super) fn reading(shell: &Shell, progress: Progress) -> Option<String> {
    match progress {
        Progress::Current => None,
        Progress::Away => Some(shell.t.problem.loading_text.to_owned()),
        Progress::CatchingUp { read, left } => {
            let (read, left) = (shell.number(&read), shell.number(&left));
            Some(shell.t.search.reading(read, left))
        }
    }
}
