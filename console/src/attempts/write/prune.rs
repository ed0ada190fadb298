//! What leaves the index: what is too old, and the oldest of what is too much.
//! A few rows at a time, so that the topic's reader is never held up.

use domain::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::Sizes;
use super::waiting::Waiting;
use crate::attempts::key;
use crate::attempts::schema::RETENTION;
use crate::attempts::step::Range;

/// Whom figures are about is forgotten a day after the figures.
const SUBJECT_AGE: std::time::Duration = std::time::Duration::from_secs(8 * 24 * 3600);
/// How many of them in one go.
const SUBJECTS_AT_ONCE: u32 = 100;

/// The moment `age` ago, in milliseconds since 1970.
fn before(now: Timestamp, age: std::time::Duration) -> i64 {
    now.millis() - i64::try_from(age.as_millis()).unwrap_or(i64::MAX)
}

/// The number that rows which are kept have at least.
fn first_kept(now: Timestamp) -> i64 {
    key::first_at(Timestamp::from_millis(before(now, RETENTION)))
}

/// Whether there is something to remove.
pub(super) fn is_due(
    connection: &Connection,
    sizes: Sizes,
    max_attempts: u64,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    if sizes.attempts > max_attempts || sizes.deliveries > max_attempts {
        return Ok(true);
    }
    for oldest in [
        "SELECT min(id) FROM deliveries",
        "SELECT min(id) FROM attempts",
    ] {
        let oldest: Option<i64> = connection
            .prepare_cached(oldest)?
            .query_row([], |row| row.get(0))?;
        if oldest.is_some_and(|oldest| oldest < first_kept(now)) {
            return Ok(true);
        }
    }
    for range in Range::ALL {
        let oldest = oldest_step(connection, range)?;
        if oldest.is_some_and(|oldest| oldest < range.first_kept(now)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes `most` deliveries and records at most.
///
/// A delivery goes with its last record, but as long as it waits: else nobody
/// could tell how many do. Where even those are too many the oldest go, and
/// what began longer ago than the topic keeps goes whole.
pub(super) fn step(
    transaction: &Transaction<'_>,
    sizes: &mut Sizes,
    max_attempts: u64,
    now: Timestamp,
    most: usize,
) -> rusqlite::Result<()> {
    let mut pruning = Pruning {
        transaction,
        sizes,
        waiting: Waiting::default(),
    };
    let first_kept = first_kept(now);
    for _ in 0..most {
        let too_many = pruning.sizes.deliveries > max_attempts;
        match pruning.oldest("SELECT min(id) FROM deliveries")? {
            Some(oldest) if too_many || oldest < first_kept => pruning.delivery(oldest)?,
            Some(_) | None => break,
        }
    }
    for _ in 0..most {
        let too_many = pruning.sizes.attempts > max_attempts;
        match pruning.oldest("SELECT min(id) FROM attempts")? {
            Some(oldest) if too_many || oldest < first_kept => pruning.record(oldest)?,
            Some(_) | None => break,
        }
    }
    pruning.waiting.write(transaction)?;
    tallies(transaction, now)
}

struct Pruning<'a> {
    transaction: &'a Transaction<'a>,
    sizes: &'a mut Sizes,
    waiting: Waiting,
}

impl Pruning<'_> {
    fn oldest(&self, sql: &str) -> rusqlite::Result<Option<i64>> {
        let mut oldest = self.transaction.prepare_cached(sql)?;
        oldest.query_row([], |row| row.get(0))
    }

    /// Removes a delivery and its records.
    fn delivery(&mut self, delivery: i64) -> rusqlite::Result<()> {
        let records = self
            .transaction
            .prepare_cached("DELETE FROM attempts WHERE delivery = ?1")?
            .execute([delivery])?;
        self.sizes.attempts -= u64::try_from(records).unwrap_or(0);
        self.row(delivery)
    }

    fn row(&mut self, delivery: i64) -> rusqlite::Result<()> {
        let (endpoint, tier) = self
            .transaction
            .prepare_cached("DELETE FROM deliveries WHERE id = ?1 RETURNING endpoint, tier")?
            .query_row([delivery], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.sizes.deliveries -= 1;
        self.waiting.moves(endpoint, tier, None);
        Ok(())
    }

    /// Removes a record, and its delivery where it was the last one.
    fn record(&mut self, record: i64) -> rusqlite::Result<()> {
        let delivery: i64 = self
            .transaction
            .prepare_cached("DELETE FROM attempts WHERE id = ?1 RETURNING delivery")?
            .query_row([record], |row| row.get(0))?;
        self.sizes.attempts -= 1;
        let done = self
            .transaction
            .prepare_cached(
                "SELECT id FROM deliveries WHERE id = ?1 AND tier IS NULL \
                 AND NOT EXISTS (SELECT 1 FROM attempts WHERE delivery = ?1)",
            )?
            .query_row([delivery], |row| row.get(0))
            .optional()?;
        done.map_or(Ok(()), |done| self.row(done))
    }
}

fn oldest_step(connection: &Connection, range: Range) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT min(start) FROM tallies WHERE step = ?1")?
        .query_row([range.code()], |row| row.get(0))
}

/// Removes the oldest step of each length where it is not kept any more.
fn tallies(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    for range in Range::ALL {
        if let Some(oldest) = oldest_step(connection, range)?
            && oldest < range.first_kept(now)
        {
            connection
                .prepare_cached("DELETE FROM tallies WHERE step = ?1 AND start = ?2")?
                .execute((range.code(), oldest))?;
        }
    }
    Ok(())
}

/// Removes whom nothing is about any more. Reads them all.
pub(super) fn subjects(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM subjects WHERE id IN (\
                 SELECT id FROM subjects s WHERE last_at < ?1 \
                 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE endpoint = s.id) \
                 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE account = s.id) \
                 LIMIT ?2)",
        )?
        .execute((before(now, SUBJECT_AGE), SUBJECTS_AT_ONCE))
        .map(drop)
}
