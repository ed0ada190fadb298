//! The one writer of an index.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Timestamp;
use rusqlite::{Connection, Transaction};

use crate::origin::Origin;
use crate::{Identity, IndexError, Schema, WhyNew, file};

/// Nobody else writes; a reader may hold the file for a moment.
const WRITE_WAIT: Duration = Duration::from_secs(10);

/// The offset to be read next, by partition. One that is missing is read from
/// its first record.
pub type Positions = BTreeMap<i32, i64>;

/// An open index, to be written.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    max_age: Duration,
    current_at: Timestamp,
    positions: Positions,
}

impl Store {
    /// Opens the file, or makes it anew where it is missing, broken, of other
    /// tables, of another topic, or too old, and says why. Blocks.
    ///
    /// # Errors
    /// When the file can neither be used nor be made anew.
    pub fn open(
        path: &Path,
        schema: &Schema,
        identity: &Identity,
    ) -> Result<(Self, Option<WhyNew>), IndexError> {
        let now = Timestamp::now();
        if !path.metadata().is_ok_and(|file| file.len() > 0) {
            // Whoever removed it may have left what SQLite kept beside it.
            file::remove(path)?;
        }
        let why = match Self::go_on(path, schema, identity, now) {
            Ok(Ok(store)) => return Ok((store, None)),
            Ok(Err(why)) => why,
            Err(error) if file::is_broken(&error) => WhyNew::Broken(error.to_string()),
            Err(error) => return Err(IndexError::sqlite(path, error)),
        };
        file::remove(path)?;
        let origin = Origin {
            identity: identity.clone(),
            // Reading begins now, at the first record: nothing was missed.
            current_at: now,
        };
        let store = connect(path)
            .and_then(|mut connection| {
                schema.make(&mut connection, &origin)?;
                Self::with(connection, path, schema, &origin)
            })
            .map_err(|error| IndexError::sqlite(path, error))?;
        Ok((store, Some(why)))
    }

    fn go_on(
        path: &Path,
        schema: &Schema,
        identity: &Identity,
        now: Timestamp,
    ) -> rusqlite::Result<Result<Self, WhyNew>> {
        let connection = connect(path)?;
        match schema.read(&connection, identity, now)? {
            Ok(origin) => Self::with(connection, path, schema, &origin).map(Ok),
            Err(why) => Ok(Err(why)),
        }
    }

    fn with(
        connection: Connection,
        path: &Path,
        schema: &Schema,
        origin: &Origin,
    ) -> rusqlite::Result<Self> {
        let positions = connection
            .prepare("SELECT partition, next_offset FROM positions")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            max_age: schema.max_age,
            current_at: origin.current_at,
            positions,
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the topic is read on.
    #[must_use]
    pub fn positions(&self) -> &Positions {
        &self.positions
    }

    /// Asks something outside of a write, or sets a pragma.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn ask<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, IndexError> {
        work(&self.connection).map_err(|error| IndexError::sqlite(&self.path, error))
    }

    /// Writes what records did and which offsets come next (those of other
    /// partitions stay), all or nothing.
    ///
    /// # Errors
    /// [`IndexError::TooOld`] when what changed the index may have been missed
    /// before these records; nothing is written then.
    pub fn write<T>(
        &mut self,
        next: &Positions,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, IndexError> {
        self.check_age(Timestamp::now())?;
        let written = write(&mut self.connection, next, work)
            .map_err(|error| IndexError::sqlite(&self.path, error))?;
        self.positions.extend(next);
        Ok(written)
    }

    /// Forgets the positions and all that `work` forgets: the topic is read
    /// from its first record.
    ///
    /// # Errors
    /// What SQLite says; then nothing is forgotten.
    pub fn clear(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), IndexError> {
        let now = Timestamp::now();
        let clear = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            work(&transaction)?;
            transaction.execute("DELETE FROM positions", [])?;
            set_current(&transaction, now)?;
            transaction.commit()
        };
        clear(&mut self.connection).map_err(|error| IndexError::sqlite(&self.path, error))?;
        self.current_at = now;
        self.positions.clear();
        Ok(())
    }

    /// Notes that at `at` the index held everything that was on the topic.
    ///
    /// # Errors
    /// [`IndexError::TooOld`] when it had been behind for so long that
    /// what changed it may have been missed.
    pub fn note_current(&mut self, at: Timestamp) -> Result<(), IndexError> {
        self.check_age(at)?;
        set_current(&self.connection, at).map_err(|error| IndexError::sqlite(&self.path, error))?;
        self.current_at = at;
        Ok(())
    }

    fn check_age(&self, now: Timestamp) -> Result<(), IndexError> {
        if now.since(self.current_at) > self.max_age {
            return Err(IndexError::TooOld(self.path.clone()));
        }
        Ok(())
    }
}

fn write<T>(
    connection: &mut Connection,
    next: &Positions,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.transaction()?;
    let written = work(&transaction)?;
    {
        let mut positions =
            transaction.prepare_cached("INSERT OR REPLACE INTO positions VALUES (?1, ?2)")?;
        for position in next {
            positions.execute(position)?;
        }
    }
    transaction.commit()?;
    Ok(written)
}

fn set_current(connection: &Connection, at: Timestamp) -> rusqlite::Result<()> {
    connection
        .execute("UPDATE origin SET current_at = ?1", [at.millis()])
        .map(drop)
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
