//! The one writer of the index.

use std::collections::BTreeMap;
use std::path::Path;

use domain::{DeadLetterReason, Timestamp};
use index::{Positions, Store};
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::schema::SCHEMA;
use super::{Identity, IndexError, WhyNew, row};
use crate::letter::Letter;

/// The topic has one partition.
const PARTITION: i32 = 0;

/// What a record of the topic does to the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is on the list, in place of an older failure with the same id.
    Put(Letter),
    /// A tombstone: it has left the list.
    Remove(String),
}

/// The list in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Summary {
    /// Entries by reason; reasons without one are missing or zero.
    pub(crate) entries: BTreeMap<DeadLetterReason, i64>,
    /// When the entry failed that stands first.
    pub(crate) oldest: Option<Timestamp>,
    /// The offset to be read next.
    pub(crate) next_offset: i64,
}

/// Writes what the topic says.
#[derive(Debug)]
pub(crate) struct Writer {
    store: Store,
    summary: Summary,
}

impl Writer {
    /// Opens the index, or makes it anew and says why.
    pub(super) fn open(
        path: &Path,
        identity: &Identity,
    ) -> Result<(Self, Option<WhyNew>), IndexError> {
        let (store, why_new) = Store::open(path, &SCHEMA, identity)?;
        let next_offset = store.positions().get(&PARTITION).copied().unwrap_or(0);
        let summary = Summary {
            entries: store.ask(entries)?,
            oldest: store.ask(oldest)?,
            next_offset,
        };
        Ok((Self { store, summary }, why_new))
    }

    pub(crate) fn summary(&self) -> &Summary {
        &self.summary
    }

    pub(super) fn next_offset(&self) -> i64 {
        self.summary.next_offset
    }

    /// Writes what records did and which offset comes next, all or nothing.
    ///
    /// # Errors
    /// [`IndexError::TooOld`] when tombstones may have been missed before
    /// these records; nothing is written then.
    pub(crate) fn apply(
        &mut self,
        changes: impl IntoIterator<Item = Change>,
        next_offset: i64,
    ) -> Result<(), IndexError> {
        let before = &self.summary;
        let next = Positions::from([(PARTITION, next_offset)]);
        self.summary = self.store.write(&next, |transaction| {
            write(transaction, before, changes, next_offset)
        })?;
        Ok(())
    }

    /// Forgets everything: the topic is read from its first record.
    pub(crate) fn clear(&mut self) -> Result<(), IndexError> {
        self.store.clear(|transaction| {
            transaction.execute_batch("DELETE FROM failures; DELETE FROM bodies;")
        })?;
        self.summary = Summary::default();
        Ok(())
    }

    /// Notes that at `at` the index held everything that was on the topic.
    ///
    /// # Errors
    /// [`IndexError::TooOld`] when it had been behind for so long that
    /// tombstones may have been missed.
    pub(crate) fn note_current(&mut self, at: Timestamp) -> Result<(), IndexError> {
        self.store.note_current(at)
    }
}

fn write(
    transaction: &Transaction<'_>,
    before: &Summary,
    changes: impl IntoIterator<Item = Change>,
    next_offset: i64,
) -> rusqlite::Result<Summary> {
    let mut entries = before.entries.clone();
    for change in changes {
        let id = match &change {
            Change::Put(letter) => &letter.id,
            Change::Remove(id) => id,
        };
        if let Some(reason) = remove(transaction, id)? {
            *entries.entry(reason).or_default() -= 1;
        }
        if let Change::Put(letter) = &change {
            row::insert(transaction, letter)?;
            *entries.entry(letter.reason).or_default() += 1;
        }
    }
    Ok(Summary {
        entries,
        oldest: oldest(transaction)?,
        next_offset,
    })
}

fn entries(connection: &Connection) -> rusqlite::Result<BTreeMap<DeadLetterReason, i64>> {
    connection
        .prepare("SELECT reason, count(*) FROM failures GROUP BY reason")?
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?
        .filter_map(|row| {
            row.map(|(reason, count)| Some((DeadLetterReason::parse(&reason)?, count)))
                .transpose()
        })
        .collect()
}

fn remove(connection: &Connection, id: &str) -> rusqlite::Result<Option<DeadLetterReason>> {
    let mut failures = connection
        .prepare_cached("DELETE FROM failures WHERE id = ?1 RETURNING log_offset, reason")?;
    let removed: Option<(i64, String)> = failures
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((offset, reason)) = removed else {
        return Ok(None);
    };
    connection
        .prepare_cached("DELETE FROM bodies WHERE log_offset = ?1")?
        .execute([offset])?;
    Ok(DeadLetterReason::parse(&reason))
}

fn oldest(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    connection
        .prepare_cached("SELECT failed_at FROM failures ORDER BY log_offset LIMIT 1")?
        .query_row([], |row| row.get(0).map(Timestamp::from_millis))
        .optional()
}
