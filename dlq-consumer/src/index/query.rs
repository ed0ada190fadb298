//! Reading the index, beside its writer.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::FailedFilter;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::conditions::Scope;
use super::{IndexError, select};
use crate::letter::Letter;

/// Queries that run at once; each holds one part of the list in memory.
const READERS: usize = 4;
/// The writer never blocks readers (WAL) but while it makes a new log.
const READ_WAIT: Duration = Duration::from_secs(5);

/// The order of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sorted {
    OldestFirst,
    NewestFirst,
}

/// Which part of what matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) sorted: Sorted,
    /// At this offset and later.
    pub(crate) from: i64,
    /// Before this offset.
    pub(crate) until: i64,
    /// So many entries at most.
    pub(crate) limit: usize,
    /// It ends before its payloads are longer than this together, but has one
    /// entry at least.
    pub(crate) bytes: usize,
}

/// A part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) letters: Vec<Letter>,
    /// Where the next page begins (`from`), or with the newest first, where it
    /// ends (`until`). When there was no more, oldest first: at the end of what
    /// was read of the topic.
    pub(crate) next: i64,
    /// Whether more matched in the part than there was room for.
    pub(crate) more: bool,
}

/// How much matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) entries: u64,
    /// Those of them that are poison.
    pub(crate) poison: u64,
    /// The offset after everything that was counted.
    pub(crate) end: i64,
}

/// Reads the index; clones share their connections.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    path: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Reader {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: Arc::new(path.to_owned()),
            idle: Arc::default(),
            permits: Arc::new(Semaphore::new(READERS)),
        }
    }

    /// The entries of a part, as the list is now.
    pub(crate) async fn page(
        &self,
        scope: Scope,
        filter: FailedFilter,
        part: Part,
    ) -> Result<Page, IndexError> {
        self.run(move |connection| select::page(connection, &scope, &filter, part))
            .await
    }

    /// How many entries match.
    pub(crate) async fn count(
        &self,
        scope: Scope,
        filter: FailedFilter,
    ) -> Result<Count, IndexError> {
        self.run(move |connection| select::count(connection, &scope, &filter))
            .await
    }

    /// Those of these offsets at which a live entry stands.
    pub(crate) async fn live(&self, offsets: Vec<i64>) -> Result<HashSet<i64>, IndexError> {
        self.run(move |connection| select::live(connection, &offsets))
            .await
    }

    /// The live entry with this id.
    pub(crate) async fn find(
        &self,
        scope: Scope,
        id: String,
    ) -> Result<Option<Letter>, IndexError> {
        self.run(move |connection| select::find(connection, &scope, id))
            .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, IndexError> {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        let (path, idle) = (Arc::clone(&self.path), Arc::clone(&self.idle));
        let done = spawn_blocking(move || {
            let _permit = permit;
            let before = take(&idle);
            let result = before
                .map_or_else(|| connect(&path), Ok)
                .and_then(|mut connection| {
                    let result = work(&mut connection)?;
                    give_back(&idle, connection);
                    Ok(result)
                });
            result.map_err(|error| IndexError::sqlite(&path, error))
        });
        match done.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is going down: nobody waits for this.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

fn take(idle: &Mutex<Vec<Connection>>) -> Option<Connection> {
    idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn give_back(idle: &Mutex<Vec<Connection>>, connection: Connection) {
    idle.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(connection);
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(READ_WAIT)?;
    Ok(connection)
}
