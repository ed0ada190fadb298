//! Why something asked of the endpoints is not done.

use domain::OpenError;
use kafka::PublishError;

use super::Mistake;
use crate::actor::NotForAccount;

/// Why something asked of the endpoints is not done. Nothing was changed,
/// unless [`Unavailable`] says otherwise.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// Fields that are not allowed so, never none.
    #[error("the endpoint cannot be as asked")]
    Invalid(Vec<Mistake>),
    /// It is not for that account.
    #[error(transparent)]
    Account(#[from] NotForAccount),
    /// There is no such endpoint, or it belongs to another account.
    #[error("there is no such endpoint")]
    NotFound,
    /// It has another version than the one that was asked for.
    #[error("the endpoint has version {current} by now")]
    VersionDiffers {
        /// The version it has.
        current: u64,
    },
    /// The account has as many endpoints as it may.
    #[error("the account has {limit} endpoints already")]
    TooMany {
        /// How many it may have.
        limit: usize,
    },
    /// The account has sent as many test events lately as it may.
    #[error("the account has sent {limit} test events within a minute")]
    TooManyTests {
        /// How many it may send a minute.
        limit: usize,
        /// Seconds until the next one.
        retry_after: u64,
    },
    /// The signing secret cannot be opened: the settings lack its key.
    #[error(transparent)]
    Sealed(#[from] OpenError),
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why the endpoints cannot be asked, or not be changed, now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unavailable {
    /// The table is not read to its end yet.
    #[error("the endpoint table is still being read from Kafka")]
    Loading,
    /// The audit is not read to its end yet.
    #[error("the audit is still being read from Kafka")]
    AuditLoading,
    /// Kafka has not acknowledged the record that tells of it: nothing else was
    /// written, and nothing is shown.
    #[error("Kafka does not take the audit's record; nothing was changed")]
    NotAudited(#[source] PublishError),
    /// Kafka does not answer, or too many changes wait: nothing was written.
    #[error("Kafka does not answer in time; nothing was changed")]
    NotWritten,
    /// Kafka refuses the record, or the outcome is unknown.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The change is durable, but was not read back in time.
    #[error("the change is written, but this console has not read it back yet")]
    NotReadBack,
}
