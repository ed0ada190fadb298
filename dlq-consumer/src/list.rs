//! The failed list: its index, the topics' readers, and who moves entries.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::Topics;
use kafka::{Connection, Lookup, Mover, Told};
use service::health::Condition;
use service::settings::SettingsError;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::RunError;
use crate::deliveries::Deliveries;
use crate::follow;
use crate::index::{Identity, Index, IndexError, Reader};
use crate::jobs::Jobs;
use crate::metrics::Metrics;
use crate::moves::{AT_ONCE, Claims, Moves};

/// Moves under way at the stop are one transaction each, which ends within 10 s
/// or is aborted by the broker.
const STOP_TIME: Duration = Duration::from_secs(5);

/// The failed list of this process.
#[derive(Debug)]
pub(crate) struct FailedList {
    index: Index,
    jobs: Jobs,
    deliveries: Deliveries,
    trouble: Trouble,
    end: End,
}

/// How far the dead-letter topic reaches.
#[derive(Debug, Clone)]
pub(crate) struct End {
    /// When this process began, as the cluster said.
    at_start: Option<i64>,
    /// The offset after the last record that came since.
    read: Arc<AtomicI64>,
}

impl End {
    /// Records came, and `next` follows. To be called before anyone sees them.
    pub(crate) fn read_to(&self, next: i64) {
        self.read.store(next, Ordering::SeqCst);
    }

    /// Whether an offset that was given out earlier lies beyond it: then the
    /// topic was made anew.
    pub(crate) fn is_before(&self, offset: i64) -> bool {
        self.at_start
            .is_some_and(|end| offset > end.max(self.read.load(Ordering::SeqCst)))
    }
}

/// A cursor that this list cannot have given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BeyondTheEnd(pub(crate) i64);

/// Where anyone reports what only a new process cures: this one must end.
#[derive(Debug, Clone)]
pub(crate) struct Trouble(mpsc::Sender<RunError>);

impl Trouble {
    pub(crate) fn new() -> (Self, mpsc::Receiver<RunError>) {
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), receiver)
    }

    /// The first one reported counts.
    pub(crate) fn report(&self, error: impl Into<RunError>) {
        if let Err(dropped) = self.0.try_send(error.into()) {
            tracing::debug!(error = %dropped, "the process is ending already");
        }
    }
}

/// What the list is made of.
pub(crate) struct Ingredients<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) topics: &'a Topics,
    pub(crate) told: Told,
    pub(crate) path: &'a Path,
    pub(crate) mover: Mover,
    pub(crate) metrics: &'a Metrics,
    pub(crate) trouble: &'a Trouble,
}

impl FailedList {
    /// Opens the index and begins to read the topic; `stop` ends the reading.
    /// The transactional id has been taken: from here on only this process
    /// takes entries off.
    pub(crate) async fn open(
        parts: Ingredients<'_>,
        stop: &CancellationToken,
    ) -> Result<Self, RunError> {
        let topic = &parts.topics.dead_letter;
        let identity = Identity {
            topic: topic.clone(),
            cluster: parts.told.cluster,
        };
        let index = open_index(parts.path, identity).await?;
        match &index.why_new {
            Some(why) => tracing::info!(
                path = %parts.path.display(), topic, %why,
                "the index is made anew: the topic is read from its first record"
            ),
            None => tracing::info!(
                path = %parts.path.display(), topic, next_offset = index.next_offset,
                "the index is gone on with"
            ),
        }
        let end = End {
            at_start: parts.told.end,
            read: Arc::default(),
        };
        let table = follow::topic(
            parts.connection,
            topic,
            &index,
            end.clone(),
            parts.metrics.clone(),
            parts.trouble.clone(),
            stop,
        )
        .map_err(SettingsError::from)?;
        let topics = Arc::new(parts.topics.clone());
        let moves = Moves {
            mover: Arc::new(parts.mover),
            table: Arc::new(table),
            reader: index.reader.clone(),
            topics: Arc::clone(&topics),
            metrics: parts.metrics.clone(),
            trouble: parts.trouble.clone(),
            tasks: TaskTracker::new(),
            claims: Claims::default(),
            room: Arc::new(Semaphore::new(AT_ONCE)),
        };
        let jobs = Jobs::follow(parts.connection, moves, end.clone(), stop)?;
        let lookup = Lookup::open(parts.connection, "lookup").map_err(SettingsError::from)?;
        Ok(Self {
            index,
            jobs,
            deliveries: Deliveries { lookup, topics },
            trouble: parts.trouble.clone(),
            end,
        })
    }

    /// Whether all that was on the topics at the start was read.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.moves().table.is_caught_up() && self.jobs.table.is_caught_up()
    }

    pub(crate) const fn reader(&self) -> &Reader {
        &self.index.reader
    }

    pub(crate) const fn moves(&self) -> &Moves {
        &self.jobs.moves
    }

    pub(crate) const fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    pub(crate) const fn deliveries(&self) -> &Deliveries {
        &self.deliveries
    }

    /// Carries out jobs from now on, until `stop` and the end of the batch that
    /// is under way.
    pub(crate) fn start_work(&self, stop: CancellationToken) {
        let jobs = self.jobs.clone();
        self.moves().tasks.spawn(jobs.work(stop));
    }

    /// Ends the process, and for a broken file removes that first.
    pub(crate) fn report(&self, error: IndexError) {
        if error.is_broken_file() {
            self.trouble.report(error);
        }
    }

    /// Every cursor that was ever given lies at or before the end of the topic
    /// as it was then.
    pub(crate) fn check_cursor(&self, from: i64) -> Result<(), BeyondTheEnd> {
        if self.end.is_before(from) {
            Err(BeyondTheEnd(from))
        } else {
            Ok(())
        }
    }

    /// Notes how current the index is, until one of the topics is not read any
    /// more.
    pub(crate) async fn keep(&self, metrics: &Metrics, caught_up: &Condition) {
        if self.jobs.table.caught_up().await.is_err() {
            return;
        }
        let table = &self.moves().table;
        let writer = &self.index.writer;
        tokio::select! {
            () = follow::note_current(table, writer, metrics, &self.trouble, caught_up) => {}
            () = self.jobs.table.ended() => {}
        }
    }

    /// Lets moves finish and ends the threads. Nobody may ask any more.
    pub(crate) async fn close(self) {
        let Self { jobs, .. } = self;
        let tasks = jobs.moves.tasks.clone();
        tasks.close();
        if timeout(STOP_TIME, tasks.wait()).await.is_err() {
            tracing::warn!(
                moves = tasks.len(),
                "moves were still under way at the end of the stop time"
            );
        }
        let Jobs { moves, table, .. } = jobs;
        let Moves {
            mover,
            table: letters,
            ..
        } = moves;
        if let Some(mover) = Arc::into_inner(mover)
            && mover.stop(STOP_TIME).await.is_err()
        {
            tracing::warn!("the transactional producer did not end in time");
        }
        for table in [letters, table] {
            let topic = table.topic().to_owned();
            if let Some(table) = Arc::into_inner(table)
                && table.stop(STOP_TIME).await.is_err()
            {
                tracing::warn!(topic, "the topic's reader did not end in time");
            }
        }
    }
}

async fn open_index(path: &Path, identity: Identity) -> Result<Index, RunError> {
    let path = path.to_owned();
    let opened = spawn_blocking(move || Index::open(&path, &identity));
    match opened.await {
        Ok(index) => Ok(index?),
        // The runtime is going down.
        Err(_) => std::future::pending().await,
    }
}
