//! Who changed or re-sent what, on `webhooks.audit`. The record's key is the
//! account. It holds no secret and no payload.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AccountId, Timestamp};

/// What a person, or a program with a token, did.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// Made an endpoint.
    EndpointCreated,
    /// Changed its fields.
    EndpointChanged,
    /// Paused it.
    EndpointPaused,
    /// Resumed it.
    EndpointResumed,
    /// Disabled it, as it answered 410. Only the dispatcher does.
    EndpointDisabled,
    /// Deleted it.
    EndpointDeleted,
    /// Looked at its secret.
    SecretRevealed,
    /// Gave it a new secret.
    SecretRotated,
    /// Sent a delivery again.
    DeliveryResent,
    /// Took a delivery off the failed list.
    DeliveryDiscarded,
    /// Started a job that sends many again.
    ResendStarted,
    /// Started a job that discards many.
    DiscardStarted,
    /// Cancelled such a job.
    JobCancelled,
}

impl AuditAction {
    /// All of them, as filters and documents list them.
    pub const ALL: [Self; 13] = [
        Self::EndpointCreated,
        Self::EndpointChanged,
        Self::EndpointPaused,
        Self::EndpointResumed,
        Self::EndpointDisabled,
        Self::EndpointDeleted,
        Self::SecretRevealed,
        Self::SecretRotated,
        Self::DeliveryResent,
        Self::DeliveryDiscarded,
        Self::ResendStarted,
        Self::DiscardStarted,
        Self::JobCancelled,
    ];

    /// The word in records and on pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndpointCreated => "endpoint_created",
            Self::EndpointChanged => "endpoint_changed",
            Self::EndpointPaused => "endpoint_paused",
            Self::EndpointResumed => "endpoint_resumed",
            Self::EndpointDisabled => "endpoint_disabled",
            Self::EndpointDeleted => "endpoint_deleted",
            Self::SecretRevealed => "secret_revealed",
            Self::SecretRotated => "secret_rotated",
            Self::DeliveryResent => "delivery_resent",
            Self::DeliveryDiscarded => "delivery_discarded",
            Self::ResendStarted => "resend_started",
            Self::DiscardStarted => "discard_started",
            Self::JobCancelled => "job_cancelled",
        }
    }

    /// The action of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditRecord {
    /// When.
    pub at: Timestamp,
    /// Whose data it was; `None` for what spans accounts or has none.
    pub account: Option<AccountId>,
    /// The id of the token that did it, as `auth.tokens` names it; `dispatcher` where
    /// no person did.
    pub token: String,
    /// What was done.
    pub action: AuditAction,
    /// To what: an endpoint's, a delivery's or a job's id.
    pub subject: String,
    /// What else there is to know, in words of at most 512 bytes: the fields
    /// that were changed, how many a job moves.
    pub detail: Option<String>,
}

impl AuditRecord {
    /// The record's key: the account, empty where there is none.
    #[must_use]
    pub fn key(&self) -> String {
        self.account
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default()
    }
}
