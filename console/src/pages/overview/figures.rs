//! What happened in a range: its sums, its charts, and the same as a table.

use std::time::Duration;

use domain::Timestamp;

use super::chart::{self, Chart};
use crate::attempts::{Counts, Range, Series, Times};
use crate::pages::choice;
use crate::web::Language;

/// What happened in a range.
pub(super) struct Figures {
    /// The beginning of its first step.
    pub(super) since: Timestamp,
    range: Range,
    pub(super) sum: Sum,
    pub(super) deliveries: Chart,
    pub(super) times: Chart,
    /// Steps in which something happened, the newest first.
    pub(super) steps: Vec<Step>,
    pub(super) behind: Behind,
}

/// The lists of what stands behind a figure.
pub(super) struct Behind {
    pub(super) delivered: String,
    pub(super) waiting: String,
    pub(super) failed: String,
}

/// A step of the range.
pub(super) struct Step {
    pub(super) start: Timestamp,
    pub(super) sum: Sum,
}

/// Counts and times; times in words, empty without attempts.
pub(super) struct Sum {
    pub(super) counts: Counts,
    /// Percents of the attempts that were taken, rounded down.
    pub(super) success: Option<String>,
    pub(super) half: String,
    pub(super) most: String,
}

impl Figures {
    /// `whose` stands in the queries of the links.
    pub(super) fn of(series: &Series, whose: &str, language: Language) -> Self {
        let newest = series.points.iter().rev();
        let steps = newest.filter(|point| point.counts != Counts::default());
        let first = series.points.first();
        let since = first.map_or(Timestamp::from_millis(0), |first| first.start);
        Self {
            since,
            behind: Behind::of(since, whose),
            range: series.range,
            sum: Sum::of(series.counts, &series.times, language),
            deliveries: chart::deliveries(series, language),
            times: chart::times(series, language),
            steps: steps
                .map(|point| Step {
                    start: point.start,
                    sum: Sum::of(point.counts, &point.times, language),
                })
                .collect(),
        }
    }

    /// Minutes of a step.
    pub(super) fn minutes(&self) -> u64 {
        chart::minutes(self.range)
    }
}

impl Behind {
    fn of(since: Timestamp, whose: &str) -> Self {
        let since = choice::field(since);
        Self {
            delivered: format!("/deliveries?state=delivered&since={since}{whose}"),
            waiting: format!("/deliveries?state=waiting{whose}"),
            failed: format!("/failed?since={since}{whose}"),
        }
    }
}

impl Sum {
    fn of(counts: Counts, times: &Times, language: Language) -> Self {
        let time = |part| {
            let time = times.percentile(part).map(u64::from);
            let text = |millis| language.duration(Duration::from_millis(millis));
            time.map(text).unwrap_or_default()
        };
        Self {
            success: success(&counts, language),
            counts,
            half: time(0.5),
            most: time(0.95),
        }
    }
}

/// Percents with two digits at most; never 100 where one attempt failed.
pub(super) fn success(counts: &Counts, language: Language) -> Option<String> {
    let attempts = counts.attempts();
    let hundredths = (counts.delivered * 10_000).checked_div(attempts)?;
    let number = language.decimal(hundredths * 10);
    Some(language.messages().overview.percent(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_in_very_many_attempts_is_not_all_fine() {
        let of = |delivered, retry| {
            let counts = Counts {
                delivered,
                retry,
                ..Counts::default()
            };
            success(&counts, Language::German)
        };
        assert_eq!(of(999_999, 1).unwrap(), "99,99\u{a0}%");
        assert_eq!(of(7, 0).unwrap(), "100\u{a0}%");
        assert_eq!(of(0, 0), None);
    }
}
