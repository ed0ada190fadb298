//! Moving records between topics: all of a move is written, or nothing.

use std::{
    sync::mpsc::{SyncSender, TrySendError, sync_channel},
    thread::JoinHandle,
    time::Duration,
};

use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::{Connection, ConnectionError, Record, StillRunning, Stored};

mod transaction;
mod worker;

use worker::Worker;

/// Moves that wait for a transaction at most.
const WAITING: usize = 256;

/// The one writer with a transactional id. Moves that wait are put into one
/// transaction together.
///
/// Dropping it gives up the moves that wait and joins its thread, which takes
/// some seconds while no broker is there. [`Mover::stop`] lets them finish.
#[derive(Debug)]
pub struct Mover {
    requests: Option<SyncSender<Move>>,
    failure: watch::Receiver<Option<String>>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// A move on its way to the thread.
#[derive(Debug)]
struct Move {
    records: Vec<Record<'static>>,
    reply: oneshot::Sender<Result<Vec<Stored>, MoveError>>,
}

/// Why records were not moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// The connection's properties cannot be used.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// Too many moves wait: try again later. Nothing was written.
    #[error("too many records wait to be moved")]
    Busy,
    /// Nothing was written that a reader can see; the same move may work later.
    #[error("the records were not moved: {0}")]
    Aborted(String),
    /// Nothing was written; the same records will be refused again until
    /// something is changed (their size, permissions, the topic).
    #[error("Kafka refuses the records: {0}")]
    Refused(String),
    /// Shutdown came before the outcome was known: all was written, or nothing.
    #[error("it is not known whether the records were moved: {0}")]
    Unknown(String),
    /// Another process has taken the transactional id, or the client failed
    /// for good: this process must end. The move was written whole or not at all.
    #[error("this process may not move records any more: {0}")]
    Fenced(String),
}

impl Mover {
    /// Takes the transactional id: any earlier owner is fenced, and what it
    /// left open is aborted. Waits for brokers until `shutdown`, which also
    /// ends the mover. `name` (at most 15 bytes are seen) names the thread.
    ///
    /// # Errors
    /// [`MoveError::Connection`], [`MoveError::Refused`] (no permission for the
    /// id), [`MoveError::Fenced`], and [`MoveError::Aborted`] on shutdown.
    pub async fn open(
        connection: &Connection,
        name: &str,
        transactional_id: &str,
        shutdown: &CancellationToken,
    ) -> Result<Self, MoveError> {
        let stop = shutdown.child_token();
        let (requests, waiting) = sync_channel(WAITING);
        let (failure, failed) = watch::channel(None);
        let worker = Worker::new(connection, transactional_id, waiting, failure, stop.clone())?;
        let (ready, is_ready) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || worker.run(ready))
            .map_err(|error| ConnectionError::Client(format!("no thread to move with: {error}")))?;
        let mover = Self {
            requests: Some(requests),
            failure: failed,
            stop,
            thread: Some(thread),
        };
        match is_ready.await {
            Ok(Ok(())) => Ok(mover),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(MoveError::Aborted("the mover was stopped".to_owned())),
        }
    }

    /// Writes all of `records` in one transaction. Readers of finished
    /// transactions see all of them or none.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub async fn move_records(
        &self,
        records: Vec<Record<'static>>,
    ) -> Result<Vec<Stored>, MoveError> {
        let (reply, outcome) = oneshot::channel();
        let stopped = || match self.failure.borrow().as_ref() {
            Some(reason) => MoveError::Fenced(reason.clone()),
            None => MoveError::Aborted("the mover was stopped".to_owned()),
        };
        let requests = self.requests.as_ref().ok_or_else(stopped)?;
        requests
            .try_send(Move { records, reply })
            .map_err(|error| match error {
                TrySendError::Full(_) => MoveError::Busy,
                TrySendError::Disconnected(_) => stopped(),
            })?;
        outcome.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Waits until this mover cannot be used any more, which only a new
    /// process cures, and says why. Usually never.
    pub async fn failed(&self) -> String {
        let mut failure = self.failure.clone();
        let told = failure.wait_for(Option::is_some).await;
        let reason = told.ok().map(|reason| reason.clone());
        match reason {
            Some(reason) => reason.unwrap_or_default(),
            // The thread has ended for another reason: shutdown.
            None => std::future::pending().await,
        }
    }

    /// Lets the moves that wait finish, `limit` at most, and ends the thread.
    ///
    /// # Errors
    /// When that took too long; the thread gives up what is left by itself.
    pub async fn stop(mut self, limit: Duration) -> Result<(), StillRunning> {
        self.requests = None;
        let ended = async {
            let mut failure = self.failure.clone();
            while failure.changed().await.is_ok() {}
        };
        if tokio::time::timeout(limit, ended).await.is_err() {
            self.thread = None;
            return Err(StillRunning);
        }
        Ok(())
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.stop.cancel();
        self.requests = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that moves records has panicked");
        }
    }
}
