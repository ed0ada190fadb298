//! What the records of a batch add up to, by steps of time and by whom they
//! are about.

use std::collections::{BTreeMap, HashMap};

use domain::{AttemptRecord, Timestamp};
use rusqlite::{Connection, OptionalExtension as _};

use crate::attempts::query::EVERYBODY;
use crate::attempts::step::Range;
use crate::attempts::tally::{Counts, Tally};

/// A minute of one endpoint; longer steps, accounts and everybody are sums of
/// these.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Minute {
    start: i64,
    endpoint: i64,
    account: i64,
}

#[derive(Debug, Default)]
pub(super) struct Tallies {
    minutes: HashMap<Minute, Tally>,
}

impl Tallies {
    pub(super) fn add(
        &mut self,
        at: Timestamp,
        endpoint: i64,
        account: i64,
        record: &AttemptRecord,
    ) {
        let minute = Minute {
            start: Range::Hour.floor(at.millis()),
            endpoint,
            account,
        };
        self.minutes.entry(minute).or_default().add(record);
    }

    /// Adds them to the rows; steps that are not kept any more are left out.
    pub(super) fn write(self, connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
        // In the order of the rows.
        let mut sums: BTreeMap<(i64, i64, i64), Tally> = BTreeMap::new();
        for (minute, tally) in &self.minutes {
            for range in Range::ALL {
                let start = range.floor(minute.start);
                if start < range.first_kept(now) {
                    continue;
                }
                for subject in [EVERYBODY, minute.account, minute.endpoint] {
                    let sum = sums.entry((range.code(), start, subject)).or_default();
                    sum.merge(tally);
                }
            }
        }
        let mut read = connection.prepare_cached(
            "SELECT delivered, retry, dead_letter, dead_letter_without_attempt, deferred, times \
             FROM tallies WHERE step = ?1 AND start = ?2 AND subject = ?3",
        )?;
        let mut write = connection.prepare_cached(
            "INSERT OR REPLACE INTO tallies VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        for ((step, start, subject), mut tally) in sums {
            let before = read
                .query_row((step, start, subject), |row| {
                    tally.times.add_bytes(row.get_ref(5)?.as_blob()?);
                    Counts::read(row, 0)
                })
                .optional()?;
            tally.counts.merge(&before.unwrap_or_default());
            let Counts {
                delivered,
                retry,
                dead_letter,
                dead_letter_without_attempt,
                deferred,
            } = tally.counts;
            let [
                delivered,
                retry,
                dead_letter,
                dead_letter_without_attempt,
                deferred,
            ] = [
                delivered,
                retry,
                dead_letter,
                dead_letter_without_attempt,
                deferred,
            ]
            .map(|count| i64::try_from(count).unwrap_or(i64::MAX));
            write.execute((
                step,
                start,
                subject,
                delivered,
                retry,
                dead_letter,
                dead_letter_without_attempt,
                deferred,
                tally.times.to_bytes(),
            ))?;
        }
        Ok(())
    }
}
