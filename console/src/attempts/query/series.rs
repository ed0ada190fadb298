//! What happened, by steps of time.

use domain::{EndpointId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _};

use super::{Scope, subjects};
use crate::attempts::step::Range;
use crate::attempts::tally::{Counts, Tally};
use crate::attempts::times::Times;

/// A range, step by step, and as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Which.
    pub range: Range,
    /// One a step, the oldest first, also where nothing happened; the last one
    /// is still going on.
    pub points: Vec<Point>,
    /// All of them together.
    pub counts: Counts,
    /// How long all attempts took.
    pub times: Times,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Its beginning.
    pub start: Timestamp,
    /// What happened.
    pub counts: Counts,
    /// How long attempts took.
    pub times: Times,
}

pub(crate) fn series(
    connection: &mut Connection,
    scope: &Scope,
    endpoint: Option<EndpointId>,
    range: Range,
    now: Timestamp,
) -> rusqlite::Result<Series> {
    let snapshot = connection.transaction()?;
    let subjects = subjects::of(&snapshot, scope, endpoint)?;
    let mut read = snapshot.prepare_cached(
        "SELECT delivered, retry, dead_letter, dead_letter_without_attempt, deferred, times \
         FROM tallies WHERE step = ?1 AND start = ?2 AND subject = ?3",
    )?;
    let mut whole = Tally::default();
    let mut points = Vec::new();
    for start in range.starts(now) {
        let mut tally = Tally::default();
        for subject in &subjects {
            let found = read
                .query_row((range.code(), start, subject), |row| {
                    tally.times.add_bytes(row.get_ref(5)?.as_blob()?);
                    Counts::read(row, 0)
                })
                .optional()?;
            tally.counts.merge(&found.unwrap_or_default());
        }
        whole.merge(&tally);
        points.push(Point {
            start: Timestamp::from_millis(start),
            counts: tally.counts,
            times: tally.times,
        });
    }
    Ok(Series {
        range,
        points,
        counts: whole.counts,
        times: whole.times,
    })
}
