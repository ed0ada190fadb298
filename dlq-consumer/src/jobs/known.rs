//! The jobs there are: `webhooks.jobs` in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{AccountId, Job, JobId};
use kafka::{TableEvent, TableRecord};

use crate::index::Scope;

/// The newest state of each job; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known(Arc<Mutex<BTreeMap<JobId, Job>>>);

/// Jobs, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobPage {
    pub(crate) jobs: Vec<Job>,
    /// Whether there are older ones.
    pub(crate) more: bool,
}

impl Known {
    /// Takes in what the topic says.
    pub(super) fn take(&self, event: &TableEvent<'_>) {
        let mut jobs = self.lock();
        match event {
            TableEvent::Reset => jobs.clear(),
            TableEvent::Records(records) => {
                for (id, job) in records.iter().filter_map(read) {
                    match job {
                        Some(job) => drop(jobs.insert(id, job)),
                        None => drop(jobs.remove(&id)),
                    }
                }
            }
        }
    }

    pub(super) fn get(&self, id: JobId) -> Option<Job> {
        self.lock().get(&id).cloned()
    }

    /// The job, where the caller may see it.
    pub(crate) fn find(&self, scope: &Scope, id: JobId) -> Option<Job> {
        self.get(id).filter(|job| shows(scope, job))
    }

    /// At most `limit` jobs that are older than `before`.
    pub(crate) fn page(&self, scope: &Scope, before: Option<JobId>, limit: usize) -> JobPage {
        let jobs = self.lock();
        let newest_first = jobs.values().rev();
        let mut older = newest_first
            .filter(|job| before.is_none_or(|before| job.id < before) && shows(scope, job));
        let page = older.by_ref().take(limit).cloned().collect();
        JobPage {
            jobs: page,
            more: older.next().is_some(),
        }
    }

    pub(super) fn running(&self) -> Vec<JobId> {
        let jobs = self.lock();
        let running = jobs.values().filter(|job| job.is_running());
        running.map(|job| job.id).collect()
    }

    /// How many run for these entries: an account's, or everybody's.
    pub(super) fn running_of(&self, account: Option<&AccountId>) -> usize {
        let jobs = self.lock();
        let of = jobs.values().filter(|job| job.account.as_ref() == account);
        of.filter(|job| job.is_running()).count()
    }

    /// Those that have ended, but for the `keep` newest.
    pub(super) fn ended_of(&self, account: Option<&AccountId>, keep: usize) -> Vec<JobId> {
        let jobs = self.lock();
        let of = jobs.values().filter(|job| job.account.as_ref() == account);
        let ended = of.filter(|job| !job.is_running()).map(|job| job.id);
        ended.rev().skip(keep).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<JobId, Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shows(scope: &Scope, job: &Job) -> bool {
    match scope {
        Scope::All => true,
        Scope::Account(account) => job.account.as_ref() == Some(account),
    }
}

/// A job's id and its state; `None` of a state that is gone.
fn read(record: &TableRecord<'_>) -> Option<(JobId, Option<Job>)> {
    let id = std::str::from_utf8(record.key()).ok()?.parse().ok();
    let job = record
        .value()
        .map(serde_json::from_slice::<Job>)
        .transpose();
    match (id, job) {
        (Some(id), Ok(job)) if job.as_ref().is_none_or(|job| job.id == id) => Some((id, job)),
        (id, job) => {
            let error = job.err().map(|error| error.to_string());
            tracing::error!(
                offset = record.offset(), job = ?id, error,
                "a job cannot be read and does not go on: another version wrote it"
            );
            None
        }
    }
}
