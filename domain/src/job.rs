//! Bulk jobs: many entries of the failed list sent again, or discarded. A
//! job's state is one record on `webhooks.jobs`; the key is its id.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AccountId, AuditAction, FailedFilter, JobId, Timestamp};

/// What becomes of an entry of the failed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobAction {
    /// The schedule starts again, with the same bytes and the same event id.
    Resend,
    /// Nobody wants it any more.
    Discard,
}

impl JobAction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Resend, Self::Discard];

    /// The word in records, metrics and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resend => "resend",
            Self::Discard => "discard",
        }
    }

    /// What the audit topic calls it when it is done to one entry.
    #[must_use]
    pub const fn of_one(self) -> AuditAction {
        match self {
            Self::Resend => AuditAction::DeliveryResent,
            Self::Discard => AuditAction::DeliveryDiscarded,
        }
    }

    /// What the audit topic calls the start of a job.
    #[must_use]
    pub const fn of_many(self) -> AuditAction {
        match self {
            Self::Resend => AuditAction::ResendStarted,
            Self::Discard => AuditAction::DiscardStarted,
        }
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It moves entries, or waits for its turn.
    Running,
    /// It has looked at everything it covers.
    Done,
    /// A person ended it; what it had moved stays moved.
    Cancelled,
    /// Kafka refuses what it writes; what it had moved stays moved.
    Failed,
}

impl JobState {
    /// All of them, as metrics and documents list them.
    pub const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Cancelled, Self::Failed];

    /// The word in records, metrics and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// A bulk job. It covers the entries that match and stood on the dead-letter
/// topic before [`Job::end`]: what fails again after the job has moved it
/// stands behind that, and is not moved twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Its id; the record's key.
    pub id: JobId,
    /// What it does.
    pub action: JobAction,
    /// To which entries.
    pub filter: FailedFilter,
    /// Whose entries; `None` is every account's.
    pub account: Option<AccountId>,
    /// Whether it covers records that cannot be read: an operator started it.
    pub unreadable: bool,
    /// How far it is.
    pub state: JobState,
    /// Entries that it covers. At the end those that were moved and skipped
    /// are as many, unless it was cancelled or failed.
    pub total: u64,
    /// Entries that were moved.
    pub moved: u64,
    /// Entries that cannot be sent again, or had left the list before their turn.
    pub skipped: u64,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The id of the token that started it.
    pub started_by: String,
    /// Why it failed.
    pub error: Option<String>,
    /// The offset of the dead-letter topic at which it goes on.
    pub next: i64,
    /// The offset of the dead-letter topic at which it ends.
    pub end: i64,
}

impl Job {
    /// Whether there is something left to do.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.state == JobState::Running
    }

    /// The state after entries before the offset `next` were dealt with.
    #[must_use]
    pub fn after(self, moved: u64, skipped: u64, next: i64) -> Self {
        Self {
            moved: self.moved + moved,
            skipped: self.skipped + skipped,
            next,
            ..self
        }
    }

    /// The state after all that it covers was dealt with.
    #[must_use]
    pub fn done(self, now: Timestamp) -> Self {
        Self {
            state: JobState::Done,
            // The rest had left the list before its turn.
            skipped: self.total.saturating_sub(self.moved),
            next: self.end,
            finished_at: Some(now),
            ..self
        }
    }

    /// The state after a person ended it.
    #[must_use]
    pub fn cancelled(self, now: Timestamp) -> Self {
        Self {
            state: JobState::Cancelled,
            finished_at: Some(now),
            ..self
        }
    }

    /// The state after something that waiting does not cure.
    #[must_use]
    pub fn failed(self, now: Timestamp, error: String) -> Self {
        Self {
            state: JobState::Failed,
            finished_at: Some(now),
            error: Some(error),
            ..self
        }
    }
}
