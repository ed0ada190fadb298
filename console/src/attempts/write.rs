//! The one writer of the index.

mod deliveries;
mod prune;
mod records;
mod subjects;
mod tallies;
mod waiting;

use std::collections::BTreeSet;
use std::path::Path;

use domain::{AccountId, AttemptRecord, Timestamp};
use index::{Identity, IndexError, Positions, Store, WhyNew};
use rusqlite::{Connection, Transaction};

use super::schema::{CLEAR, RETENTION, SCHEMA};
use deliveries::Deliveries;
use records::Records;
use subjects::Subjects;
use tallies::Tallies;
use waiting::Waiting;

/// What the writer may keep in memory of the file, in KiB: with a million
/// attempts it holds the pages that a batch touches.
const CACHE_KIB: i64 = 48 * 1024;
/// Pages (4 KiB) that the log beside the file may have before they are moved
/// into it. A batch touches a page for each endpoint, mostly the same ones.
const LOG_PAGES: i64 = 8 * 1024;
/// The log is cut to so many bytes when it was moved.
const LOG_BYTES: i64 = 64 * 1024 * 1024;
/// Rows that are removed in one go at most, beside as many as a batch brought.
const PRUNED_AT_ONCE: usize = 1_000;

/// How many rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// Records.
    pub attempts: u64,
    /// Deliveries.
    pub deliveries: u64,
}

/// What a batch did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Records that were older than the index keeps, and passed over.
    pub too_old: u64,
    /// Whose records there were.
    pub accounts: BTreeSet<AccountId>,
}

/// Writes what the topic says.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    max_attempts: u64,
    rows: Rows,
    /// The minute of the last look for whom nothing is about any more, which
    /// reads them all.
    looked: i64,
}

/// Numbers about the rows that change with them.
#[derive(Debug, Clone, Copy, Default)]
struct Rows {
    /// Records ever taken in.
    taken: i64,
    sizes: Sizes,
}

impl Writer {
    /// Opens the index of `identity` at `path`, or makes it anew and says why.
    /// It keeps `max_attempts` records at most. Blocks.
    ///
    /// # Errors
    /// When the file can neither be used nor be made anew.
    pub fn open(
        path: &Path,
        identity: &Identity,
        max_attempts: u64,
    ) -> Result<(Self, Option<WhyNew>), IndexError> {
        let (store, why_new) = Store::open(path, &SCHEMA, identity)?;
        let rows = store.ask(|connection| {
            connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
            connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
            connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
            Rows::read(connection)
        })?;
        let writer = Self {
            store,
            max_attempts,
            rows,
            looked: 0,
        };
        Ok((writer, why_new))
    }

    /// Where the topic is read on.
    #[must_use]
    pub fn positions(&self) -> &Positions {
        self.store.positions()
    }

    /// How many rows there are.
    #[must_use]
    pub const fn sizes(&self) -> Sizes {
        self.rows.sizes
    }

    /// Takes records in, each partition's in its order, with the offsets that
    /// come next; all or nothing. `now` is the clock: a record of the future
    /// counts as of now.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn apply(
        &mut self,
        records: &[AttemptRecord],
        next: &Positions,
        now: Timestamp,
    ) -> Result<Applied, IndexError> {
        let (mut rows, max_attempts) = (self.rows, self.max_attempts);
        let minute = now.millis() / 60_000;
        let look = minute != self.looked;
        let applied = self.store.write(next, |transaction| {
            let applied = take(transaction, &mut rows, records, now)?;
            let most = PRUNED_AT_ONCE + 2 * records.len();
            prune::step(transaction, &mut rows.sizes, max_attempts, now, most)?;
            if look {
                prune::subjects(transaction, now)?;
            }
            rows.write(transaction)?;
            Ok(applied)
        })?;
        (self.rows, self.looked) = (rows, minute);
        Ok(applied)
    }

    /// Removes some of what is too old or too much. For when nothing comes;
    /// `true` when there was something.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn prune(&mut self, now: Timestamp) -> Result<bool, IndexError> {
        let (mut rows, max_attempts) = (self.rows, self.max_attempts);
        let due = self
            .store
            .ask(|connection| prune::is_due(connection, rows.sizes, max_attempts, now))?;
        if !due {
            return Ok(false);
        }
        self.store.write(&Positions::new(), |transaction| {
            prune::step(
                transaction,
                &mut rows.sizes,
                max_attempts,
                now,
                PRUNED_AT_ONCE,
            )?;
            rows.write(transaction)
        })?;
        self.rows = rows;
        Ok(true)
    }

    /// Forgets everything: the topic is read from its first record.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn clear(&mut self) -> Result<(), IndexError> {
        self.store
            .clear(|transaction| transaction.execute_batch(CLEAR))?;
        self.rows = Rows::default();
        Ok(())
    }

    /// Notes that at `at` the index held everything that was on the topic.
    ///
    /// # Errors
    /// What SQLite says, or that the index was behind for too long.
    pub fn note_current(&mut self, at: Timestamp) -> Result<(), IndexError> {
        self.store.note_current(at)
    }
}

/// Takes records in.
fn take(
    transaction: &Transaction<'_>,
    rows: &mut Rows,
    batch: &[AttemptRecord],
    now: Timestamp,
) -> rusqlite::Result<Applied> {
    let oldest = now.millis() - i64::try_from(RETENTION.as_millis()).unwrap_or(i64::MAX);
    let mut applied = Applied::default();
    let mut subjects = Subjects::default();
    let mut tallies = Tallies::default();
    let mut waiting = Waiting::default();
    let mut deliveries = Deliveries::prepare(transaction)?;
    let mut records = Records::prepare(transaction)?;
    for record in batch {
        if record.at.millis() < oldest {
            applied.too_old += 1;
            continue;
        }
        let at = record.at.min(now);
        let endpoint = subjects.endpoint(transaction, &record.account, record.delivery.endpoint)?;
        endpoint.note(at, record);
        tallies.add(at, endpoint.id, endpoint.account, record);
        let delivery = deliveries.note(at, endpoint, record, &mut waiting)?;
        rows.sizes.deliveries += u64::from(delivery.is_new);
        records.insert(at, rows.taken, delivery.key, record)?;
        rows.sizes.attempts += 1;
        rows.taken += 1;
    }
    waiting.write(transaction)?;
    tallies.write(transaction, now)?;
    applied.accounts = subjects.write(transaction)?;
    Ok(applied)
}

impl Rows {
    fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let size = |number: i64| u64::try_from(number).unwrap_or(0);
        connection.query_row("SELECT taken, attempts, deliveries FROM sizes", [], |row| {
            Ok(Self {
                taken: row.get(0)?,
                sizes: Sizes {
                    attempts: size(row.get(1)?),
                    deliveries: size(row.get(2)?),
                },
            })
        })
    }

    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let number = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
        let Sizes {
            attempts,
            deliveries,
        } = self.sizes;
        connection
            .prepare_cached("UPDATE sizes SET taken = ?1, attempts = ?2, deliveries = ?3")?
            .execute((self.taken, number(attempts), number(deliveries)))
            .map(drop)
    }
}
