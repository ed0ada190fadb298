//! Reads the topic into the index, and makes the index anew when it must.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::{AttemptRecord, Timestamp};
use index::{Identity, IndexError, Lock, Reader};
use kafka::{Connection, ConnectionError, Log, LogEvent, LogRecord};
use service::settings::SettingsError;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::write::Writer;
use super::{Attempts, Open, Shared};
use crate::metrics::Metrics;
use crate::settings::IndexSettings;

/// Before the index is opened again after it could not be used.
const PAUSE: Duration = Duration::from_secs(5);
/// A batch that is being written takes a fraction of this.
const STOP_TIME: Duration = Duration::from_secs(5);

/// Keeps the index of this process. Its file is locked as long as this lives.
#[derive(Debug)]
pub struct Keeper {
    path: PathBuf,
    max_attempts: u64,
    metrics: Metrics,
    shared: Arc<Shared>,
    _lock: Lock,
}

/// Why the index is not kept any more.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    #[error("the topic is not read any more")]
    NotRead,
    /// It cannot be opened again: a thread still writes it.
    #[error("the thread that reads the topic does not end")]
    StillRunning,
}

impl Keeper {
    /// Takes the file of the settings.
    ///
    /// # Errors
    /// `index.path`, when the file is not to be had.
    pub fn new(settings: &IndexSettings, metrics: &Metrics) -> Result<Self, SettingsError> {
        let lock = Lock::take(&settings.path)?;
        Ok(Self {
            path: settings.path.clone(),
            max_attempts: settings.max_attempts.into(),
            metrics: metrics.clone(),
            shared: Arc::default(),
            _lock: lock,
        })
    }

    /// Who answers from the index.
    #[must_use]
    pub fn attempts(&self) -> Attempts {
        Attempts {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Reads `topic`, which is there, until `shutdown`. What goes wrong is
    /// logged and tried again.
    pub async fn run(self, connection: &Connection, topic: &str, shutdown: &CancellationToken) {
        let told = kafka::ask(connection, topic, shutdown).await;
        let told = match told {
            Ok(Some(told)) => told,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "attempts are not read");
                return;
            }
        };
        let identity = Identity {
            topic: topic.to_owned(),
            cluster: told.cluster,
        };
        loop {
            match self.keep(connection, &identity, shutdown).await {
                Ok(()) => return,
                Err(Trouble::StillRunning) => {
                    tracing::error!("{}: attempts are not read any more", Trouble::StillRunning);
                    return;
                }
                Err(trouble) => {
                    tracing::error!(error = %trouble, "the index of attempts is opened again");
                    self.remove_if_broken(&trouble);
                }
            }
            if timeout(PAUSE, shutdown.cancelled()).await.is_ok() {
                return;
            }
        }
    }

    fn remove_if_broken(&self, trouble: &Trouble) {
        if let Trouble::Index(error) = trouble
            && error.is_broken_file()
            && let Err(error) = index::remove(&self.path)
        {
            tracing::error!(%error, "the broken index of attempts cannot be removed");
        }
    }

    /// Opens the index and keeps it until `shutdown` or trouble.
    async fn keep(
        &self,
        connection: &Connection,
        identity: &Identity,
        shutdown: &CancellationToken,
    ) -> Result<(), Trouble> {
        let writer = self.open(identity).await?;
        let (reports, mut troubles) = mpsc::channel(1);
        let mut taker = Taker {
            writer,
            path: self.path.clone(),
            metrics: self.metrics.clone(),
            shared: Arc::clone(&self.shared),
        };
        let positions = taker.writer.positions().clone();
        let report = reports.clone();
        let on_event = move |event: LogEvent<'_>| match taker.take(event) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                // The first one counts.
                if let Err(told) = report.try_send(error) {
                    tracing::debug!(error = %told, "the index is being opened again already");
                }
                ControlFlow::Break(())
            }
        };
        let log = Log::follow(
            connection,
            "attempts",
            &identity.topic,
            positions,
            on_event,
            shutdown,
        )?;
        self.shared.set_open(Some(Open {
            reader: Reader::new(&self.path),
            progress: Some(log.watch()),
            broken: reports,
        }));
        let caught_up = async {
            if log.caught_up().await.is_ok() {
                self.shared.feed.tell_everybody();
                tracing::info!("the index of attempts holds the topic up to its end");
            }
            log.ended().await;
        };
        let ended = tokio::select! {
            biased;
            () = shutdown.cancelled() => Ok(()),
            Some(error) = troubles.recv() => Err(error.into()),
            () = caught_up => Err(Trouble::NotRead),
        };
        // Readers go first: whoever closes the file last leaves it tidy.
        self.shared.set_open(None);
        match log.stop(STOP_TIME).await {
            Ok(()) => ended,
            Err(_) => Err(Trouble::StillRunning),
        }
    }

    async fn open(&self, identity: &Identity) -> Result<Writer, Trouble> {
        let (path, of, max) = (self.path.clone(), identity.clone(), self.max_attempts);
        let opened = spawn_blocking(move || Writer::open(&path, &of, max));
        let (writer, why_new) = match opened.await {
            Ok(opened) => opened?,
            // The runtime is going down.
            Err(_) => std::future::pending().await,
        };
        let path = self.path.display();
        let topic = &identity.topic;
        match why_new {
            Some(why) => {
                self.metrics.attempts_index_rebuilds.inc();
                tracing::info!(
                    %path, topic, %why,
                    "the index of attempts is made anew: the topic is read from its first record"
                );
            }
            None => tracing::info!(
                %path, topic, attempts = writer.sizes().attempts,
                "the index of attempts is gone on with"
            ),
        }
        Ok(writer)
    }
}

/// Takes in what the topic says, on the thread that reads it.
struct Taker {
    writer: Writer,
    path: PathBuf,
    metrics: Metrics,
    shared: Arc<Shared>,
}

impl Taker {
    fn take(&mut self, event: LogEvent<'_>) -> Result<(), IndexError> {
        let now = Timestamp::now();
        match event {
            LogEvent::Records(records, next) => {
                let read: Vec<AttemptRecord> = records
                    .iter()
                    .filter_map(|record| self.read(record))
                    .collect();
                let applied = self.writer.apply(&read, next, now)?;
                self.metrics.attempts_indexed.inc_by(count(read.len()));
                self.shared.feed.tell(applied.accounts);
            }
            LogEvent::Idle => {
                self.writer.prune(now)?;
            }
            LogEvent::Current(at) => {
                self.writer.note_current(at)?;
                let seconds = at.millis() / 1000;
                self.metrics.attempts_index_current.set(seconds);
                self.metrics.attempts_index_bytes.set(bytes(&self.path));
            }
            LogEvent::Reset => {
                self.writer.clear()?;
                self.metrics.attempts_index_rebuilds.inc();
                self.shared.feed.tell_everybody();
            }
        }
        let sizes = self.writer.sizes();
        let rows = &self.metrics.attempts_index_rows;
        for (table, size) in [
            ("attempts", sizes.attempts),
            ("deliveries", sizes.deliveries),
        ] {
            let size = i64::try_from(size).unwrap_or(i64::MAX);
            rows.with_label_values(&[table]).set(size);
        }
        Ok(())
    }

    fn read(&self, record: &LogRecord<'_>) -> Option<AttemptRecord> {
        match serde_json::from_slice(record.value()) {
            Ok(read) => Some(read),
            Err(error) => {
                // Only dispatchers write here: one of another version, perhaps.
                self.metrics.attempts_unreadable.inc();
                tracing::debug!(
                    partition = record.partition(), offset = record.offset(), %error,
                    "an attempt record is passed over: it cannot be read"
                );
                None
            }
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The size of the file with the log beside it.
fn bytes(path: &Path) -> i64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let size = |path: &Path| path.metadata().map_or(0, |metadata| metadata.len());
    i64::try_from(size(path) + size(Path::new(&log))).unwrap_or(i64::MAX)
}
