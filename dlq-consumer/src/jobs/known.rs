//! The jobs there are: `webhooks.jobs` in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{AccountId, Job, JobId};
use kafka::{TableEvent, TableRecord};

use crate::index::Scope;

/// The jobs' states; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known(Arc<Mutex<States>>);

#[derive(Debug, Default)]
struct States {
    /// As the topic says.
    newest: BTreeMap<JobId, Job>,
    /// A job as it was before the step that is being shown ([`Known::hold`]).
    held: Option<Job>,
}

/// Shows callers a job as it was, until this is dropped.
#[derive(Debug)]
pub(super) struct Held<'a>(&'a Known);

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
        let jobs = &mut self.lock().newest;
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
        self.lock().newest.get(&id).cloned()
    }

    /// Callers see the job as it is now until the answer is dropped: what its
    /// next state says was moved must have left the list before they read it,
    /// and the list has a reader of its own. One job at a time.
    pub(super) fn hold(&self, id: JobId) -> Held<'_> {
        let mut states = self.lock();
        states.held = states.newest.get(&id).cloned();
        Held(self)
    }

    /// The job, where the caller may see it.
    pub(crate) fn find(&self, scope: &Scope, id: JobId) -> Option<Job> {
        let states = self.lock();
        let job = states.shown(states.newest.get(&id)?);
        shows(scope, job).then(|| job.clone())
    }

    /// At most `limit` jobs that are older than `before`.
    pub(crate) fn page(&self, scope: &Scope, before: Option<JobId>, limit: usize) -> JobPage {
        let states = self.lock();
        let newest_first = states.newest.values().rev();
        let mut older = newest_first
            .filter(|job| before.is_none_or(|before| job.id < before) && shows(scope, job));
        let page = older.by_ref().take(limit);
        let page = page.map(|job| states.shown(job).clone()).collect();
        JobPage {
            jobs: page,
            more: older.next().is_some(),
        }
    }

    pub(super) fn running(&self) -> Vec<JobId> {
        let states = self.lock();
        let running = states.newest.values().filter(|job| job.is_running());
        running.map(|job| job.id).collect()
    }

    /// How many run for these entries: an account's, or everybody's.
    pub(super) fn running_of(&self, account: Option<&AccountId>) -> usize {
        let states = self.lock();
        states.of(account).filter(|job| job.is_running()).count()
    }

    /// Those that have ended, but for the `keep` newest.
    pub(super) fn ended_of(&self, account: Option<&AccountId>, keep: usize) -> Vec<JobId> {
        let states = self.lock();
        let ended = states.of(account).filter(|job| !job.is_running());
        ended.rev().skip(keep).map(|job| job.id).collect()
    }

    fn lock(&self) -> MutexGuard<'_, States> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl States {
    fn of<'a>(
        &'a self,
        account: Option<&'a AccountId>,
    ) -> impl DoubleEndedIterator<Item = &'a Job> {
        let jobs = self.newest.values();
        jobs.filter(move |job| job.account.as_ref() == account)
    }

    /// What callers see of a job.
    fn shown<'a>(&'a self, newest: &'a Job) -> &'a Job {
        let held = self.held.as_ref().filter(|held| held.id == newest.id);
        held.unwrap_or(newest)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.lock().held = None;
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
