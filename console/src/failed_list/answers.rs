//! What dlq-consumer answers: the parts that pages show.

use domain::{DeadLetterReason, EventKind, FailedFilter, JobAction, JobId, JobState, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

/// An entry of the failed list.
#[derive(Debug, Deserialize)]
pub(crate) struct Entry {
    /// A delivery's id, or where a record stands that cannot be read.
    pub(crate) id: String,
    pub(crate) event: Option<EventKind>,
    pub(crate) event_id: Option<String>,
    pub(crate) endpoint_id: Option<String>,
    pub(crate) reason: DeadLetterReason,
    pub(crate) attempts: u32,
    pub(crate) last_status: Option<u16>,
    pub(crate) last_error: Option<String>,
    pub(crate) first_attempt_at: Option<Timestamp>,
    pub(crate) failed_at: Timestamp,
    /// The envelope, byte for byte.
    pub(crate) payload: Option<Box<RawValue>>,
    /// What is none.
    pub(crate) payload_base64: Option<String>,
    /// For operators.
    pub(crate) account: Option<String>,
}

/// A page of the list.
#[derive(Debug, Deserialize)]
pub(crate) struct Entries {
    pub(crate) items: Vec<Entry>,
    next_cursor: String,
}

impl Entries {
    /// Where the next page begins, where there is one. With the newest first the
    /// list ends at its beginning.
    pub(crate) fn next(&self) -> Option<&str> {
        Some(self.next_cursor.as_str()).filter(|cursor| *cursor != "0")
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Counted {
    pub(super) count: u64,
}

/// What a job would do now.
#[derive(Debug, Deserialize)]
pub(crate) struct Forecast {
    /// Entries that would be moved.
    pub(crate) count: u64,
    /// Those that match and cannot be sent again.
    pub(crate) skipped: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Jobs {
    pub(super) items: Vec<Job>,
}

/// A bulk job, as far as it is.
#[derive(Debug, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) action: JobAction,
    pub(crate) filter: FailedFilter,
    pub(crate) state: JobState,
    pub(crate) total: u64,
    pub(crate) moved: u64,
    pub(crate) skipped: u64,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) started_by: String,
    pub(crate) error: Option<String>,
}

impl Job {
    pub(crate) fn is_running(&self) -> bool {
        self.state == JobState::Running
    }

    /// Entries that were dealt with.
    pub(crate) fn dealt_with(&self) -> u64 {
        self.moved + self.skipped
    }
}
