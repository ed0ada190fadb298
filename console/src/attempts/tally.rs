//! What attempts add up to: counts by outcome, and their times.

use domain::{AfterAttempt, AttemptRecord};
use rusqlite::Row;
use schemars::JsonSchema;
use serde::Serialize;

use super::times::Times;

/// Records by what became of the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Counts {
    /// Attempts that the endpoint took.
    pub delivered: u64,
    /// Attempts that are made again.
    pub retry: u64,
    /// Deliveries given up.
    pub dead_letter: u64,
    /// Those of them that were given up without an attempt.
    pub dead_letter_without_attempt: u64,
    /// Deliveries that wait without an attempt.
    pub deferred: u64,
}

impl Counts {
    fn add(&mut self, record: &AttemptRecord) {
        match record.after {
            AfterAttempt::Delivered => self.delivered += 1,
            AfterAttempt::Retry { .. } => self.retry += 1,
            AfterAttempt::Deferred { .. } => self.deferred += 1,
            AfterAttempt::DeadLetter { .. } => {
                self.dead_letter += 1;
                self.dead_letter_without_attempt += u64::from(!record.was_made());
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.retry += other.retry;
        self.dead_letter += other.dead_letter;
        self.dead_letter_without_attempt += other.dead_letter_without_attempt;
        self.deferred += other.deferred;
    }

    /// Reads the five columns of a row that begin with `first`.
    pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let count = |column: usize| {
            let count: i64 = row.get(first + column)?;
            Ok::<_, rusqlite::Error>(u64::try_from(count).unwrap_or(0))
        };
        Ok(Self {
            delivered: count(0)?,
            retry: count(1)?,
            dead_letter: count(2)?,
            dead_letter_without_attempt: count(3)?,
            deferred: count(4)?,
        })
    }

    /// Attempts that were made.
    #[must_use]
    pub const fn attempts(&self) -> u64 {
        self.delivered + self.retry + self.dead_letter - self.dead_letter_without_attempt
    }

    /// The part of the attempts that the endpoint took, from 0 to 1; `None`
    /// without attempts.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a ratio of less than 2^53 attempts"
    )]
    pub fn success_rate(&self) -> Option<f64> {
        let attempts = self.attempts();
        (attempts > 0).then(|| self.delivered as f64 / attempts as f64)
    }
}

/// Counts and times together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) counts: Counts,
    pub(super) times: Times,
}

impl Tally {
    pub(super) fn add(&mut self, record: &AttemptRecord) {
        self.counts.add(record);
        if record.was_made() {
            self.times.add(record.duration_ms);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        self.times.merge(&other.times);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_success_rate_counts_attempts_and_not_what_was_given_up_without_one() {
        let counts = Counts {
            delivered: 3,
            retry: 1,
            dead_letter: 4,
            dead_letter_without_attempt: 4,
            deferred: 9,
        };
        assert_eq!(counts.success_rate(), Some(0.75));
        assert_eq!(Counts::default().success_rate(), None);
    }
}
