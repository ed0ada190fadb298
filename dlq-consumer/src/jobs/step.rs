//! The next entries of a job, and what becomes of them.

use std::collections::HashSet;

use domain::{FailedFilter, Job, JobAction, JobId, Timestamp, Topics};
use kafka::{MoveError, Record, TableEnded};

use super::{Jobs, state};
use crate::index::{IndexError, Page, Part, Scope, Sorted};
use crate::moves::records::{self, Unreadable};

/// Entries in one transaction at most: what a failure makes fail together, and
/// how long a single move waits for its turn.
const BATCH: usize = 500;
/// Bytes of their payloads at most.
const BATCH_BYTES: usize = 1024 * 1024;

/// Why a batch was not moved.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Kafka(#[from] MoveError),
    /// What was moved does not show any more: going on would move it again.
    #[error(transparent)]
    NotShown(#[from] TableEnded),
}

/// The records that move some entries.
#[derive(Default)]
struct Batch {
    records: Vec<Record<'static>>,
    moved: u64,
    skipped: u64,
}

impl Batch {
    fn of(page: &Page, live: &HashSet<i64>, action: JobAction, topics: &Topics) -> Self {
        let now = Timestamp::now();
        let mut batch = Self::default();
        for letter in &page.letters {
            if !live.contains(&letter.offset) {
                continue;
            }
            match records::of_letter(letter, action, now, topics) {
                Ok(records) => {
                    batch.records.extend(records);
                    batch.moved += 1;
                }
                Err(Unreadable) => batch.skipped += 1,
            }
        }
        batch
    }
}

/// Which entries a job may see.
fn scope(job: &Job) -> Scope {
    match &job.account {
        Some(account) if !job.unreadable => Scope::Account(account.clone()),
        Some(_) | None => Scope::All,
    }
}

impl Jobs {
    /// Moves the next entries of a job, and notes in the same transaction how
    /// far it is. Returns when both tables show it.
    pub(super) async fn step(&self, id: JobId) -> Result<(), StepError> {
        let _turn = self.turn.lock().await;
        let Some(job) = self.known.get(id).filter(Job::is_running) else {
            return Ok(());
        };
        if self.end.is_before(job.end) {
            let why = "the dead-letter topic was made anew after the job had begun";
            return self.put_failed(job, why).await;
        }
        let part = Part {
            sorted: Sorted::OldestFirst,
            from: job.next,
            until: job.end,
            limit: BATCH,
            bytes: BATCH_BYTES,
        };
        let filter = FailedFilter {
            account: job.account.clone(),
            ..job.filter.clone()
        };
        let reader = &self.moves.reader;
        let page = reader.page(scope(&job), filter, part).await?;
        // From here on nobody else moves them; some may just have been moved.
        let ids = page.letters.iter().map(|letter| letter.id.clone());
        let _claim = self.moves.claims.wait_for(ids.collect()).await;
        let offsets = page.letters.iter().map(|letter| letter.offset).collect();
        let live = reader.live(offsets).await?;
        let batch = Batch::of(&page, &live, job.action, &self.moves.topics);
        let job = job.after(batch.moved, batch.skipped, page.next);
        let job = if page.more {
            job
        } else {
            job.done(Timestamp::now())
        };
        self.put(batch, &job).await
    }

    /// Ends a job that cannot go on.
    pub(super) async fn fail(&self, id: JobId, why: &str) -> Result<(), StepError> {
        let _turn = self.turn.lock().await;
        match self.known.get(id).filter(Job::is_running) {
            Some(job) => self.put_failed(job, why).await,
            None => Ok(()),
        }
    }

    async fn put_failed(&self, job: Job, why: &str) -> Result<(), StepError> {
        let job = job.failed(Timestamp::now(), why.to_owned());
        self.put(Batch::default(), &job).await
    }

    /// Writes what moves entries and the job's new state in one transaction.
    /// Returns when both tables show it; callers see the new state from then
    /// on. Only who has the turn may call it.
    async fn put(&self, batch: Batch, job: &Job) -> Result<(), StepError> {
        let _held = self.known.hold(job.id);
        let mut records = batch.records;
        let moves = records.len();
        records.push(state(job, &self.moves.topics));
        records.extend(self.forgotten(job));
        let stored = self.moves.mover.move_records(records).await?;
        let offset = |index: usize| stored.get(index).map(|stored| stored.offset);
        if let Some(tombstone) = moves.checked_sub(1).and_then(offset) {
            self.moves.table.wait_for(tombstone).await?;
        }
        if let Some(noted) = offset(moves) {
            self.table.wait_for(noted).await?;
        }
        let metrics = &self.moves.metrics;
        metrics.job_step(job.action, batch.moved, batch.skipped);
        if !job.is_running() {
            metrics.job_ended(job.action, job.state);
            tracing::info!(
                job = %job.id, action = job.action.as_str(), state = job.state.as_str(),
                moved = job.moved, skipped = job.skipped, total = job.total, error = job.error,
                "a job has ended"
            );
        }
        Ok(())
    }
}
