//! Bulk jobs: everything that matches is sent again, or discarded.
//!
//! A job's state is a record on `webhooks.jobs`. It is written before the work
//! begins, and then in the same transactions as the moves, so that it is always
//! true: whoever holds the transactional id next goes on from there.

mod known;
mod step;
mod worker;

use std::ops::ControlFlow;
use std::sync::Arc;

use domain::record::{MAX_HEADER_BYTES, cut};
use domain::{
    AccountId, AuditAction, AuditRecord, FailedFilter, Job, JobAction, JobId, JobState, Timestamp,
    Topics,
};
use kafka::{Connection, MoveError, Record, Start, Table, TableEvent};
use service::settings::SettingsError;
use tokio::sync::{Mutex, Notify, oneshot};
use tokio_util::sync::CancellationToken;

use crate::RunError;
use crate::index::{Count, IndexError, Scope};
use crate::list::End;
use crate::moves::{Moves, records, when_shown};
pub(crate) use known::Known;

/// Jobs of an account that may run at once; they take turns.
const RUNNING: usize = 8;
/// Jobs of an account that are kept once they have ended.
const KEPT: usize = 100;

/// The jobs; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Jobs {
    pub(crate) moves: Moves,
    /// `webhooks.jobs`, read into `known`.
    pub(crate) table: Arc<Table>,
    pub(crate) known: Known,
    pub(crate) end: End,
    /// Whoever writes a state holds this from before it looks at the state of
    /// before until it knows its own.
    turn: Arc<Mutex<()>>,
    started: Arc<Notify>,
}

/// What somebody wants done to many.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// What the caller may see.
    pub(crate) scope: Scope,
    /// The caller's token, by its id.
    pub(crate) token: String,
    pub(crate) action: JobAction,
    pub(crate) filter: FailedFilter,
}

/// What a job would do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forecast {
    /// It would move so many.
    pub(crate) moved: u64,
    /// It would pass over so many, which cannot be sent again.
    pub(crate) skipped: u64,
}

/// Why a job was not started or not cancelled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    /// There is none, or not for this caller to see.
    #[error("there is no such job")]
    Absent,
    /// It has done what it was to do, or failed.
    #[error("the job has ended already: it is {}", .0.as_str())]
    Ended(JobState),
    /// The account has as many as may be.
    #[error("{RUNNING} jobs run already")]
    TooMany,
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Kafka(#[from] MoveError),
}

impl Wanted {
    /// Whose entries: the caller's, or those that an operator names.
    fn account(&self) -> Option<AccountId> {
        match &self.scope {
            Scope::Account(account) => Some(account.clone()),
            Scope::All => self.filter.account.clone(),
        }
    }

    fn job(&self, count: Count, now: Timestamp) -> Job {
        Job {
            id: JobId::generate(),
            action: self.action,
            filter: self.filter.clone(),
            account: self.account(),
            unreadable: self.scope == Scope::All,
            state: JobState::Running,
            total: count.entries,
            moved: 0,
            skipped: 0,
            started_at: now,
            finished_at: None,
            started_by: self.token.clone(),
            error: None,
            next: 0,
            end: count.end,
        }
    }
}

/// A job's state, to be written.
fn state(job: &Job, topics: &Topics) -> Record<'static> {
    let value = serde_json::to_vec(job).expect("texts, numbers and times are JSON");
    Record::new(topics.jobs.clone(), job.id.to_string().into_bytes(), value)
}

impl Jobs {
    /// Reads the jobs' topic until `stop`.
    pub(crate) fn follow(
        connection: &Connection,
        moves: Moves,
        end: End,
        stop: &CancellationToken,
    ) -> Result<Self, SettingsError> {
        let known = Known::default();
        let (taken, metrics) = (known.clone(), moves.metrics.clone());
        let on_event = move |event: TableEvent<'_>| {
            taken.take(&event);
            metrics.jobs_running(taken.running().len());
            ControlFlow::Continue(())
        };
        let (topic, start) = (&moves.topics.jobs, Start::Beginning);
        let table = Table::follow(connection, "jobs", topic, start, on_event, stop)?;
        Ok(Self {
            moves,
            table: Arc::new(table),
            known,
            end,
            turn: Arc::default(),
            started: Arc::default(),
        })
    }

    /// What a job would do now. Nothing is written.
    pub(crate) async fn forecast(&self, wanted: &Wanted) -> Result<Forecast, IndexError> {
        let count = self.count(wanted).await?;
        let skipped = match wanted.action {
            JobAction::Resend => count.poison,
            JobAction::Discard => 0,
        };
        Ok(Forecast {
            moved: count.entries - skipped,
            skipped,
        })
    }

    /// Starts a job. Returns when its state is durable and shown. Dropping the
    /// future does not stop it.
    pub(crate) async fn start(&self, wanted: Wanted) -> Result<Job, JobError> {
        let jobs = self.clone();
        self.finish(|reply| async move {
            let _turn = jobs.turn.lock().await;
            match jobs.write_start(&wanted).await {
                Ok((job, offset)) => {
                    when_shown(&jobs.table, offset, reply, Ok(job)).await;
                    jobs.started.notify_one();
                }
                Err(error) => drop(reply.send(Err(error))),
            }
        })
        .await
    }

    async fn write_start(&self, wanted: &Wanted) -> Result<(Job, i64), JobError> {
        let account = wanted.account();
        if self.known.running_of(account.as_ref()) >= RUNNING {
            return Err(JobError::TooMany);
        }
        let count = self.count(wanted).await?;
        let now = Timestamp::now();
        let job = wanted.job(count, now);
        let detail = format!("{} deliveries: {}", job.total, job.filter);
        let audit = audit(&job, job.action.of_many(), &wanted.token, now, &detail);
        let offset = self.write(&job, &audit).await?;
        tracing::info!(
            job = %job.id, action = job.action.as_str(), total = job.total,
            filter = %job.filter, token = wanted.token,
            "a job was started"
        );
        Ok((job, offset))
    }

    /// Cancels a running job, between two batches. A second time changes
    /// nothing. Gives the job as it is then.
    pub(crate) async fn cancel(
        &self,
        scope: Scope,
        id: JobId,
        token: String,
    ) -> Result<Job, JobError> {
        let jobs = self.clone();
        self.finish(|reply| async move {
            let _turn = jobs.turn.lock().await;
            match jobs.write_cancel(&scope, id, &token).await {
                Ok((job, Some(offset))) => when_shown(&jobs.table, offset, reply, Ok(job)).await,
                Ok((job, None)) => drop(reply.send(Ok(job))),
                Err(error) => drop(reply.send(Err(error))),
            }
        })
        .await
    }

    async fn write_cancel(
        &self,
        scope: &Scope,
        id: JobId,
        token: &str,
    ) -> Result<(Job, Option<i64>), JobError> {
        let job = self.known.find(scope, id).ok_or(JobError::Absent)?;
        match job.state {
            JobState::Running => {}
            JobState::Cancelled => return Ok((job, None)),
            JobState::Done | JobState::Failed => return Err(JobError::Ended(job.state)),
        }
        let now = Timestamp::now();
        let job = job.cancelled(now);
        let detail = format!("{} of {} deliveries had been moved", job.moved, job.total);
        let audit = audit(&job, AuditAction::JobCancelled, token, now, &detail);
        let offset = self.write(&job, &audit).await?;
        self.moves.metrics.job_ended(job.action, job.state);
        tracing::info!(job = %job.id, token, "a job was cancelled");
        Ok((job, Some(offset)))
    }

    async fn count(&self, wanted: &Wanted) -> Result<Count, IndexError> {
        let (scope, filter) = (wanted.scope.clone(), wanted.filter.clone());
        self.moves.reader.count(scope, filter).await
    }

    /// Writes a job's state with who changed it; gives the state's offset.
    async fn write(&self, job: &Job, audit: &AuditRecord) -> Result<i64, MoveError> {
        let topics = &self.moves.topics;
        let mut records = vec![records::audit(audit, topics), state(job, topics)];
        records.extend(self.forgotten(job));
        let stored = self.moves.mover.move_records(records).await;
        if let Err(MoveError::Fenced(reason)) = &stored {
            self.moves.trouble.report(RunError::Fenced(reason.clone()));
        }
        let lost = || MoveError::Unknown("Kafka did not say where the records stand".to_owned());
        Ok(stored?.get(1).ok_or_else(lost)?.offset)
    }

    /// Where a job ends, tombstones of the account's oldest: with this one,
    /// [`KEPT`] are left.
    fn forgotten(&self, job: &Job) -> Vec<Record<'static>> {
        if job.is_running() {
            return Vec::new();
        }
        let old = self.known.ended_of(job.account.as_ref(), KEPT - 1);
        let topic = &self.moves.topics.jobs;
        old.into_iter()
            .map(|id| Record::tombstone(topic.clone(), id.to_string().into_bytes()))
            .collect()
    }

    /// Does it also when its client has gone, and before the process ends.
    async fn finish<F: Future<Output = ()> + Send + 'static>(
        &self,
        work: impl FnOnce(oneshot::Sender<Result<Job, JobError>>) -> F,
    ) -> Result<Job, JobError> {
        let (reply, outcome) = oneshot::channel();
        self.moves.tasks.spawn(work(reply));
        let stopped = |_| MoveError::Unknown("the process is stopping".to_owned());
        outcome.await.map_err(stopped)?
    }
}

fn audit(job: &Job, action: AuditAction, token: &str, at: Timestamp, detail: &str) -> AuditRecord {
    AuditRecord {
        at,
        account: job.account.clone(),
        token: token.to_owned(),
        action,
        subject: job.id.to_string(),
        detail: Some(cut(detail, MAX_HEADER_BYTES).to_owned()),
    }
}
