//! One delivery's time line.

use domain::{AfterAttempt, AttemptRecord, DeliveryId};
use rusqlite::{Connection, Row};

use super::summary::{self, DeliverySummary};
use super::{Scope, subjects};
use crate::attempts::{code, key};

/// Records of a time line at most: each may hold half a KiB of a response.
pub const MOST_RECORDS: usize = 1_000;

/// A delivery with what happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// As it stands now.
    pub summary: DeliverySummary,
    /// What happened, in its order; of more than [`MOST_RECORDS`] the latest.
    /// None are left of a delivery that has waited for very long in a full
    /// index. A record from a dispatcher whose clock is ahead has the time at
    /// which it was read.
    pub records: Vec<AttemptRecord>,
    /// Whether there is more that happened before.
    pub is_cut: bool,
}

impl Delivery {
    /// The number of the attempt that comes next, at the moment that
    /// [`DeliverySummary::after`] says; `None` where none comes, and where no
    /// record is left that could tell.
    #[must_use]
    pub fn next_attempt(&self) -> Option<u32> {
        let last = self.records.last()?;
        match last.after {
            AfterAttempt::Retry { .. } => Some(last.attempt + 1),
            AfterAttempt::Deferred { .. } => Some(last.attempt),
            AfterAttempt::Delivered | AfterAttempt::DeadLetter { .. } => None,
        }
    }
}

pub(crate) fn delivery(
    connection: &mut Connection,
    scope: &Scope,
    id: DeliveryId,
) -> rusqlite::Result<Option<Delivery>> {
    let snapshot = connection.transaction()?;
    for subject in subjects::of_endpoint(&snapshot, scope, id.endpoint)? {
        let Some((key, summary)) = summary::find(&snapshot, id.event, subject)? else {
            continue;
        };
        let limit = i64::try_from(MOST_RECORDS + 1).unwrap_or(i64::MAX);
        let mut records = snapshot
            .prepare_cached(
                "SELECT a.id, a.attempt, a.duration_ms, a.status, a.error, a.response, a.after, \
                 a.tier, a.due, t.name, a.log_partition, a.log_offset \
                 FROM attempts a JOIN topics t ON t.id = a.topic \
                 WHERE a.delivery = ?1 ORDER BY a.id DESC LIMIT ?2",
            )?
            .query_map((key, limit), |row| record(row, &summary))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let is_cut = records.len() > MOST_RECORDS;
        records.truncate(MOST_RECORDS);
        records.reverse();
        return Ok(Some(Delivery {
            summary,
            records,
            is_cut,
        }));
    }
    Ok(None)
}

fn record(row: &Row<'_>, of: &DeliverySummary) -> rusqlite::Result<AttemptRecord> {
    Ok(AttemptRecord {
        delivery: of.id,
        account: of.account.clone(),
        event: of.event,
        attempt: row.get(1)?,
        at: key::at(row.get(0)?),
        duration_ms: row.get(2)?,
        status: row.get(3)?,
        error: row.get(4)?,
        response: row.get(5)?,
        after: code::read_after((row.get(6)?, row.get(7)?, row.get(8)?))?,
        topic: row.get(9)?,
        partition: row.get(10)?,
        offset: row.get(11)?,
    })
}
