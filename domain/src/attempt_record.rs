//! One record an attempt, on `webhooks.attempts`: what the delivery log, the
//! dashboard and analytics read. It holds no payload and no e-mail address.
//! A delivery that is deferred or given up without an attempt leaves a record,
//! too, so that its time line has no gap.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AccountId, DeadLetterReason, DeferReason, DeliveryId, EventKind, Tier, Timestamp};

/// What became of the delivery after the attempt, or without one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "next", rename_all = "snake_case")]
pub enum AfterAttempt {
    /// The endpoint has it.
    Delivered,
    /// It is tried again.
    Retry {
        /// When, at the earliest.
        due_at: Timestamp,
        /// The delay, as it is written: `15s`.
        #[serde(with = "tier_text")]
        #[schemars(with = "Tier")]
        tier: Tier,
    },
    /// It waits without an attempt: this one is still to be made.
    Deferred {
        /// Until when, at the earliest.
        due_at: Timestamp,
        /// The delay, as it is written: `15s`.
        #[serde(with = "tier_text")]
        #[schemars(with = "Tier")]
        tier: Tier,
        /// Why.
        reason: DeferReason,
    },
    /// It was given up: after the attempt, or without one when it was due
    /// ([`DeadLetterReason::is_without_attempt`]).
    DeadLetter {
        /// Why.
        reason: DeadLetterReason,
    },
}

/// One attempt at one delivery, or a step without one. The record's key is the
/// delivery's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptRecord {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// Whose.
    pub account: AccountId,
    /// Which event.
    pub event: EventKind,
    /// The number of the attempt, 1 at first; of the one that was not made
    /// where there was none.
    pub attempt: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds; 0 where there was none.
    pub duration_ms: u32,
    /// The status, where there was an answer.
    pub status: Option<u16>,
    /// `cause: text` of a failure.
    pub error: Option<String>,
    /// The first 512 bytes of the response, as text; `null` where the settings
    /// turn it off or there was none.
    pub response: Option<String>,
    /// What became of the delivery.
    #[serde(flatten)]
    pub after: AfterAttempt,
    /// The topic that the event stands on.
    pub topic: Arc<str>,
    /// The event's partition there.
    pub partition: i32,
    /// The event's offset.
    pub offset: i64,
}

impl AttemptRecord {
    /// Whether an attempt was made.
    #[must_use]
    pub const fn was_made(&self) -> bool {
        match &self.after {
            AfterAttempt::Delivered | AfterAttempt::Retry { .. } => true,
            AfterAttempt::Deferred { .. } => false,
            AfterAttempt::DeadLetter { reason } => !reason.is_without_attempt(),
        }
    }
}

mod tier_text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::Tier;

    pub(super) fn serialize<S: Serializer>(tier: &Tier, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(tier)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Tier, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}
