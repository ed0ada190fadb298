//! The one writer of the index.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{DeadLetterReason, Timestamp};
use rusqlite::{Connection, OptionalExtension as _};

use super::schema::{self, Identity, MAX_AGE, Origin, WhyNew};
use super::{IndexError, file, row};
use crate::letter::Letter;

/// Beside the topic's reader only the note that the end was read is written.
const WRITE_WAIT: Duration = Duration::from_secs(10);

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
    connection: Connection,
    path: PathBuf,
    current_at: Timestamp,
    summary: Summary,
}

impl Writer {
    /// Opens the index, or makes it anew and says why.
    pub(super) fn open(
        path: &Path,
        identity: &Identity,
    ) -> Result<(Self, Option<WhyNew>), IndexError> {
        let now = Timestamp::now();
        let why = match Self::go_on(path, identity, now) {
            Ok(Ok(writer)) => return Ok((writer, None)),
            Ok(Err(why)) => why,
            Err(error) if file::is_broken(&error) => WhyNew::Broken(error.to_string()),
            Err(error) => return Err(IndexError::sqlite(path, error)),
        };
        file::remove(path)?;
        let origin = Origin {
            identity: identity.clone(),
            next_offset: 0,
            // Reading begins now, at the first record: nothing was missed.
            current_at: now,
        };
        let writer = connect(path)
            .and_then(|mut connection| {
                schema::make(&mut connection, &origin)?;
                Self::with(connection, path, &origin)
            })
            .map_err(|error| IndexError::sqlite(path, error))?;
        Ok((writer, Some(why)))
    }

    fn go_on(
        path: &Path,
        identity: &Identity,
        now: Timestamp,
    ) -> rusqlite::Result<Result<Self, WhyNew>> {
        let connection = connect(path)?;
        let origin = match schema::read_origin(&connection)? {
            Ok(origin) => origin,
            Err(why) => return Ok(Err(why)),
        };
        match schema::judge(&origin, identity, now) {
            Ok(()) => Self::with(connection, path, &origin).map(Ok),
            Err(why) => Ok(Err(why)),
        }
    }

    fn with(connection: Connection, path: &Path, origin: &Origin) -> rusqlite::Result<Self> {
        let entries = connection
            .prepare("SELECT reason, count(*) FROM failures GROUP BY reason")?
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?
            .filter_map(|row| {
                row.map(|(reason, count)| Some((DeadLetterReason::parse(&reason)?, count)))
                    .transpose()
            })
            .collect::<rusqlite::Result<_>>()?;
        let summary = Summary {
            entries,
            oldest: oldest(&connection)?,
            next_offset: origin.next_offset,
        };
        Ok(Self {
            connection,
            path: path.to_owned(),
            current_at: origin.current_at,
            summary,
        })
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
        self.check_age(Timestamp::now())?;
        let summary = self
            .write(changes, next_offset)
            .map_err(|error| IndexError::sqlite(&self.path, error))?;
        self.summary = summary;
        Ok(())
    }

    fn write(
        &mut self,
        changes: impl IntoIterator<Item = Change>,
        next_offset: i64,
    ) -> rusqlite::Result<Summary> {
        let mut entries = self.summary.entries.clone();
        let transaction = self.connection.transaction()?;
        for change in changes {
            let id = match &change {
                Change::Put(letter) => &letter.id,
                Change::Remove(id) => id,
            };
            if let Some(reason) = remove(&transaction, id)? {
                *entries.entry(reason).or_default() -= 1;
            }
            if let Change::Put(letter) = &change {
                row::insert(&transaction, letter)?;
                *entries.entry(letter.reason).or_default() += 1;
            }
        }
        transaction.execute("UPDATE origin SET next_offset = ?1", [next_offset])?;
        let oldest = oldest(&transaction)?;
        transaction.commit()?;
        Ok(Summary {
            entries,
            oldest,
            next_offset,
        })
    }

    /// Forgets everything: the topic is read from its first record.
    pub(crate) fn clear(&mut self) -> Result<(), IndexError> {
        let now = Timestamp::now();
        let clear = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            transaction.execute_batch("DELETE FROM failures; DELETE FROM bodies;")?;
            transaction.execute(
                "UPDATE origin SET next_offset = 0, current_at = ?1",
                [now.millis()],
            )?;
            transaction.commit()
        };
        clear(&mut self.connection).map_err(|error| IndexError::sqlite(&self.path, error))?;
        self.current_at = now;
        self.summary = Summary::default();
        Ok(())
    }

    /// Notes that at `at` the index held everything that was on the topic.
    ///
    /// # Errors
    /// [`IndexError::TooOld`] when it had been behind for so long that
    /// tombstones may have been missed.
    pub(crate) fn note_current(&mut self, at: Timestamp) -> Result<(), IndexError> {
        self.check_age(at)?;
        self.connection
            .execute("UPDATE origin SET current_at = ?1", [at.millis()])
            .map_err(|error| IndexError::sqlite(&self.path, error))?;
        self.current_at = at;
        Ok(())
    }

    fn check_age(&self, now: Timestamp) -> Result<(), IndexError> {
        if now.since(self.current_at) > MAX_AGE {
            return Err(IndexError::TooOld(self.path.clone()));
        }
        Ok(())
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // SQLite would make the file for everyone to read.
    file::make(path).map_err(|error| {
        rusqlite::Error::ToSqlConversionFailure(
            format!("the file cannot be written: {error}").into(),
        )
    })?;
    let connection = Connection::open(path)?;
    connection.busy_timeout(WRITE_WAIT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // After a power cut the file may be some records behind, never broken;
    // they are read from the topic again.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
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
