//! Reading the index, beside its writer.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{AccountId, DeadLetterReason, EndpointId, EventKind, Timestamp};
use rusqlite::types::ToSql;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::{IndexError, row};
use crate::letter::Letter;

/// Pages that are read at once; each holds up to [`MAX_PAGE_BYTES`].
const READERS: usize = 4;
/// A page ends before its payloads are longer than this together.
const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;
/// The writer never blocks readers (WAL) but while it makes a new log.
const READ_WAIT: Duration = Duration::from_secs(5);

/// What may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Deliveries of one account.
    Account(AccountId),
    /// Everything, poison too.
    All,
}

/// Which entries are asked for. `None` is any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Filter {
    pub(crate) account: Option<AccountId>,
    pub(crate) endpoint: Option<EndpointId>,
    pub(crate) event: Option<EventKind>,
    pub(crate) reason: Option<DeadLetterReason>,
    /// Failed at this moment or later.
    pub(crate) since: Option<Timestamp>,
    /// Failed before this moment.
    pub(crate) until: Option<Timestamp>,
}

/// A part of the list, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) letters: Vec<Letter>,
    /// Where the next page begins: after the last entry of this one, or,
    /// when there was no more, at the end of what was read of the topic.
    pub(crate) next: i64,
}

/// Reads the index; clones share their connections.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    path: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

/// The conditions of a query and their values, in order.
#[derive(Default)]
struct Conditions {
    text: Vec<&'static str>,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    fn add(&mut self, condition: &'static str, value: impl ToSql + 'static) {
        self.text.push(condition);
        self.values.push(Box::new(value));
    }

    fn of(scope: &Scope, filter: &Filter) -> Self {
        let mut all = Self::default();
        if let Scope::Account(account) = scope {
            all.text.push("f.poison = 0");
            all.add("f.account = ?", account.to_string());
        }
        if let Some(account) = &filter.account {
            all.add("f.account = ?", account.to_string());
        }
        if let Some(endpoint) = filter.endpoint {
            all.add("f.endpoint = ?", endpoint.to_string());
        }
        if let Some(event) = filter.event {
            all.add("f.event = ?", event.as_str());
        }
        if let Some(reason) = filter.reason {
            all.add("f.reason = ?", reason.as_str());
        }
        if let Some(since) = filter.since {
            all.add("f.failed_at >= ?", since.millis());
        }
        if let Some(until) = filter.until {
            all.add("f.failed_at < ?", until.millis());
        }
        all
    }
}

impl Reader {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: Arc::new(path.to_owned()),
            idle: Arc::default(),
            permits: Arc::new(Semaphore::new(READERS)),
        }
    }

    /// At most `limit` entries at offset `from` and later.
    pub(crate) async fn page(
        &self,
        scope: Scope,
        filter: Filter,
        from: i64,
        limit: usize,
    ) -> Result<Page, IndexError> {
        self.run(move |connection| page(connection, &scope, &filter, from, limit))
            .await
    }

    /// The live entry with this id.
    pub(crate) async fn find(
        &self,
        scope: Scope,
        id: String,
    ) -> Result<Option<Letter>, IndexError> {
        self.run(move |connection| find(connection, &scope, id))
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

fn page(
    connection: &mut Connection,
    scope: &Scope,
    filter: &Filter,
    from: i64,
    limit: usize,
) -> rusqlite::Result<Page> {
    // One snapshot: nothing before `end` can appear in a later page.
    let snapshot = connection.transaction()?;
    let end: i64 = snapshot.query_row("SELECT next_offset FROM origin", [], |row| row.get(0))?;
    let mut conditions = Conditions::of(scope, filter);
    conditions.add("f.log_offset >= ?", from);
    let sql = format!(
        "SELECT {} FROM {} WHERE {} ORDER BY f.log_offset LIMIT {limit}",
        row::COLUMNS,
        row::FROM,
        conditions.text.join(" AND ")
    );
    let mut letters: Vec<Letter> = Vec::new();
    let mut bytes = 0;
    let mut full = false;
    let mut statement = snapshot.prepare_cached(&sql)?;
    let values = rusqlite::params_from_iter(&conditions.values);
    for letter in statement.query_map(values, row::read)? {
        let letter = letter?;
        bytes += letter.value.len();
        if bytes > MAX_PAGE_BYTES && !letters.is_empty() {
            full = true;
            break;
        }
        letters.push(letter);
    }
    let next = match letters.last() {
        Some(last) if full || letters.len() == limit => last.offset + 1,
        Some(_) | None => end.max(from),
    };
    Ok(Page { letters, next })
}

fn find(
    connection: &mut Connection,
    scope: &Scope,
    id: String,
) -> rusqlite::Result<Option<Letter>> {
    let mut conditions = Conditions::of(scope, &Filter::default());
    conditions.add("f.id = ?", id);
    let sql = format!(
        "SELECT {} FROM {} WHERE {}",
        row::COLUMNS,
        row::FROM,
        conditions.text.join(" AND ")
    );
    connection
        .prepare_cached(&sql)?
        .query_row(rusqlite::params_from_iter(&conditions.values), row::read)
        .optional()
}
