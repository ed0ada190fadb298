//! Steps of time that records are added up by, and the ranges shown with them.

use std::time::Duration;

use domain::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// What a chart or a rate is of: up to now, by steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Range {
    /// An hour by minutes.
    #[default]
    #[serde(rename = "1h")]
    Hour,
    /// A day by quarters of an hour.
    #[serde(rename = "24h")]
    Day,
    /// A week by two hours.
    #[serde(rename = "7d")]
    Week,
}

impl Range {
    /// All of them, the shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    /// The length of a step.
    #[must_use]
    pub const fn step(self) -> Duration {
        Duration::from_secs(match self {
            Self::Hour => MINUTE,
            Self::Day => HOUR / 4,
            Self::Week => 2 * HOUR,
        })
    }

    /// Its steps; the last one is the one that is going on.
    #[must_use]
    pub const fn steps(self) -> u32 {
        match self {
            Self::Hour => 60,
            Self::Day => 96,
            Self::Week => 84,
        }
    }

    /// The number of the step's length in rows.
    pub(super) const fn code(self) -> i64 {
        match self {
            Self::Hour => 0,
            Self::Day => 1,
            Self::Week => 2,
        }
    }

    fn step_millis(self) -> i64 {
        i64::try_from(self.step().as_millis()).unwrap_or(i64::MAX)
    }

    /// The beginning of the step that `millis` since 1970 lies in.
    pub(super) fn floor(self, millis: i64) -> i64 {
        millis - millis.rem_euclid(self.step_millis())
    }

    /// The beginnings of the steps that end with the one `now` lies in.
    pub(super) fn starts(self, now: Timestamp) -> impl DoubleEndedIterator<Item = i64> {
        let (last, step) = (self.floor(now.millis()), self.step_millis());
        let back = (0..i64::from(self.steps())).rev();
        back.map(move |back| last - back * step)
    }

    /// The beginning of the first step that is still to be kept: one more than
    /// is shown, for whoever asks with a clock that is a little behind.
    pub(super) fn first_kept(self, now: Timestamp) -> i64 {
        self.floor(now.millis()) - i64::from(self.steps()) * self.step_millis()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_ends_with_the_step_that_is_going_on() {
        let now: Timestamp = "2024-06-15T14:32:10Z".parse().unwrap();
        let bounds = Range::ALL.map(|range| {
            let first = range.starts(now).next().map(Timestamp::from_millis);
            let last = range.starts(now).next_back().map(Timestamp::from_millis);
            (first.unwrap().to_string(), last.unwrap().to_string())
        });
        let expected = [
            ("2024-06-15T13:33:00Z", "2024-06-15T14:32:00Z"),
            ("2024-06-14T14:45:00Z", "2024-06-15T14:30:00Z"),
            ("2024-06-08T16:00:00Z", "2024-06-15T14:00:00Z"),
        ];
        assert_eq!(bounds, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }
}
