//! Reading an index, beside its writer.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::IndexError;

/// Questions that are answered at once; each may hold a page in memory.
const READERS: usize = 4;
/// The writer never blocks readers (WAL) but while it makes a new log.
const READ_WAIT: Duration = Duration::from_secs(5);

/// Reads the index; clones share their connections.
#[derive(Debug, Clone)]
pub struct Reader {
    path: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Reader {
    /// A reader of the index at `path`, which is opened when first asked.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: Arc::new(path.to_owned()),
            idle: Arc::default(),
            permits: Arc::new(Semaphore::new(READERS)),
        }
    }

    /// Asks on a thread of its own, once one of the connections is free.
    ///
    /// # Errors
    /// What SQLite says.
    ///
    /// # Panics
    /// When `work` does.
    pub async fn run<T: Send + 'static>(
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
