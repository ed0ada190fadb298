//! Small numbers that stand for words in rows. They hold within a file, which
//! is made anew when its tables change: change a comment there with one here.

use domain::{AfterAttempt, DeadLetterReason, DeferReason, EventKind, Tier, Timestamp};
use rusqlite::types::Type;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a delivery stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// The endpoint has it.
    Delivered,
    /// It is tried again, or for the first time, later.
    Waiting,
    /// It was given up.
    Failed,
}

impl DeliveryState {
    /// All of them, as filters list them.
    pub const ALL: [Self; 3] = [Self::Delivered, Self::Waiting, Self::Failed];

    /// The word in filters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
        }
    }

    /// The state after a record.
    #[must_use]
    pub const fn after(after: &AfterAttempt) -> Self {
        match after {
            AfterAttempt::Delivered => Self::Delivered,
            AfterAttempt::Retry { .. } | AfterAttempt::Deferred { .. } => Self::Waiting,
            AfterAttempt::DeadLetter { .. } => Self::Failed,
        }
    }
}

const DEFER_REASONS: [DeferReason; 4] = [
    DeferReason::Paused,
    DeferReason::Unresponsive,
    DeferReason::Closed,
    DeferReason::Unsigned,
];

/// What `after` is in a row, beside tier and due.
const DELIVERED: i64 = 0;
const RETRY: i64 = 1;
/// The first one, for the first of [`DEFER_REASONS`].
const DEFERRED: i64 = 10;
/// The first one, for the first of [`DeadLetterReason::ALL`].
const DEAD_LETTER: i64 = 20;

fn place<T: PartialEq>(all: &[T], item: &T) -> i64 {
    let place = all.iter().position(|other| other == item);
    place.map_or(0, |place| i64::try_from(place).unwrap_or(0))
}

fn at_place<T: Copy>(all: &[T], place: i64) -> Option<T> {
    all.get(usize::try_from(place).ok()?).copied()
}

/// An [`AfterAttempt`] as columns: after, tier in milliseconds, due.
pub(super) type After = (i64, Option<i64>, Option<i64>);

pub(super) fn after(after: &AfterAttempt) -> After {
    let waits = |code, tier: &Tier, due: &Timestamp| {
        let tier = i64::try_from(tier.millis()).unwrap_or(i64::MAX);
        (code, Some(tier), Some(due.millis()))
    };
    match after {
        AfterAttempt::Delivered => (DELIVERED, None, None),
        AfterAttempt::Retry { due_at, tier } => waits(RETRY, tier, due_at),
        AfterAttempt::Deferred {
            due_at,
            tier,
            reason,
        } => waits(DEFERRED + place(&DEFER_REASONS, reason), tier, due_at),
        AfterAttempt::DeadLetter { reason } => (
            DEAD_LETTER + place(&DeadLetterReason::ALL, reason),
            None,
            None,
        ),
    }
}

/// Reads [`after`].
pub(super) fn read_after((code, tier, due): After) -> rusqlite::Result<AfterAttempt> {
    let read = || {
        if code == DELIVERED {
            return Some(AfterAttempt::Delivered);
        }
        if code >= DEAD_LETTER {
            let reason = at_place(&DeadLetterReason::ALL, code - DEAD_LETTER)?;
            return Some(AfterAttempt::DeadLetter { reason });
        }
        let (tier, due_at) = (read_tier(tier?)?, Timestamp::from_millis(due?));
        if code == RETRY {
            return Some(AfterAttempt::Retry { due_at, tier });
        }
        let reason = at_place(&DEFER_REASONS, code - DEFERRED)?;
        Some(AfterAttempt::Deferred {
            due_at,
            tier,
            reason,
        })
    };
    read().ok_or_else(|| strange("what became of a delivery"))
}

pub(super) fn read_tier(millis: i64) -> Option<Tier> {
    let delay = std::time::Duration::from_millis(u64::try_from(millis).ok()?);
    Tier::try_from(delay).ok()
}

const KINDS: i64 = 4;

/// State and kind in one number, so that an index can hold any choice of both.
pub(super) fn class(state: DeliveryState, kind: EventKind) -> i64 {
    place(&DeliveryState::ALL, &state) * KINDS + place(&EventKind::ALL, &kind)
}

pub(super) fn kind_of_class(class: i64) -> rusqlite::Result<EventKind> {
    at_place(&EventKind::ALL, class % KINDS).ok_or_else(|| strange("an event"))
}

/// A value that this program does not write.
pub(super) fn strange(what: &str) -> rusqlite::Error {
    let error = format!("a row does not hold {what}").into();
    rusqlite::Error::FromSqlConversionFailure(0, Type::Null, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_delivery_is_read_as_it_was_written() {
        let (due_at, tier) = (Timestamp::from_millis(77), "15s".parse().unwrap());
        let deferred = DEFER_REASONS.map(|reason| AfterAttempt::Deferred {
            due_at,
            tier,
            reason,
        });
        let given_up = DeadLetterReason::ALL.map(|reason| AfterAttempt::DeadLetter { reason });
        let others = [
            AfterAttempt::Delivered,
            AfterAttempt::Retry { due_at, tier },
        ];
        for written in others.into_iter().chain(deferred).chain(given_up) {
            assert_eq!(read_after(after(&written)).unwrap(), written);
        }
        assert!(read_after((99, None, None)).is_err());
        assert!(read_after((1, None, None)).is_err());
    }

    #[test]
    fn each_state_and_kind_has_a_class_of_its_own() {
        let mut classes = std::collections::BTreeSet::new();
        for state in DeliveryState::ALL {
            for kind in EventKind::ALL {
                let class = class(state, kind);
                assert_eq!(kind_of_class(class).unwrap(), kind);
                assert!(classes.insert(class));
            }
        }
    }
}
