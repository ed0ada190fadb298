//! The delivery log: what `webhooks.attempts` says, in an index of this process
//! that may be deleted at any time. The dashboard and the pages about
//! deliveries ask here.
//!
//! [`Attempts`] answers questions; each comes with the [`Scope`] of whoever
//! asks:
//!
//! | page | asks |
//! |---|---|
//! | charts, rates, p50 and p95 | [`Attempts::series`] |
//! | a list of endpoints | [`Attempts::endpoints`] |
//! | what needs a look | [`Attempts::failing`] |
//! | what waits, by tier | [`Attempts::waiting`] |
//! | deliveries, search | [`Attempts::deliveries`] |
//! | one delivery's time line | [`Attempts::delivery`] |
//! | what is kept up to date | [`Attempts::changes`], then asks again |
//! | "catching up" | [`Attempts::progress`] |
//!
//! Errors and responses are texts of receivers: they are to be escaped.
//!
//! [`Keeper`] reads the topic into the file. It makes the index anew where
//! it is missing, broken or of something else, and goes on when it can: nothing
//! else of the console waits for it or ends with it. While the index does not
//! hold the topic up to its end, [`Attempts::progress`] says so; what is there
//! is answered nevertheless.
//!
//! The index holds what the topic keeps (seven days), and no more records than
//! the setting `index.max_attempts`: the oldest go first. Charts and rates are
//! sums of their own and hold all seven days whatever that limit.
//!
//! Records of one delivery stand in one partition, in their order; those of an
//! endpoint do not. Nothing here depends on the order between partitions, so
//! that a rebuild gives what was there before.

mod changes;
mod code;
mod endpoint_health;
mod keeper;
mod key;
mod query;
mod schema;
mod step;
mod tally;
mod times;
mod write;

use std::sync::{Arc, Mutex, PoisonError};

use domain::{DeliveryId, EndpointId, Timestamp};
use index::{IndexError, Reader};
use kafka::LogProgress;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::{mpsc, watch};

pub use changes::Changes;
pub use code::DeliveryState;
pub use keeper::Keeper;
pub use query::{
    AtTier, Cursor, Delivery, DeliverySummary, EndpointFigures, Failing, Filter, MOST_ON_A_PAGE,
    MOST_RECORDS, NotACursor, Page, Point, Scope, Series, Waiting, WaitingAtEndpoint,
};
pub use step::Range;
pub use tally::Counts;
pub use times::Times;
pub use write::{Applied, Sizes, Writer};

use changes::Feed;

/// Answers what is asked of the index. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Attempts {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    open: Mutex<Option<Open>>,
    feed: Arc<Feed>,
}

/// What there is while the file can be used.
#[derive(Debug, Clone)]
struct Open {
    reader: Reader,
    /// `None` where nobody reads the topic into it.
    progress: Option<watch::Receiver<LogProgress>>,
    /// Where a reader tells that the file is broken.
    broken: mpsc::Sender<IndexError>,
}

/// How much of the topic the index holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
#[schemars(rename = "IndexState")]
pub enum Progress {
    /// There is no index: it is about to be opened or made anew.
    Away,
    /// It is being read.
    CatchingUp {
        /// Records that were read since the start.
        read: u64,
        /// Records that are still to be read; 0 as long as that is not known.
        left: u64,
    },
    /// It holds what was on the topic, but for the last moment.
    Current,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AttemptsError {
    /// See [`Progress::Away`]: ask again a little later.
    #[error("the index of attempts is about to be opened")]
    Away,
    /// The file cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl Attempts {
    /// Answers from a file that a [`Writer`] writes, without a topic: for
    /// measurements and tests.
    #[must_use]
    pub fn of_file(path: &std::path::Path) -> Self {
        let (broken, _) = mpsc::channel(1);
        let open = Open {
            reader: Reader::new(path),
            progress: None,
            broken,
        };
        Self {
            shared: Arc::new(Shared {
                open: Mutex::new(Some(open)),
                feed: Arc::default(),
            }),
        }
    }

    /// How much of the topic the index holds.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let Some(open) = self.shared.open() else {
            return Progress::Away;
        };
        let Some(progress) = open.progress else {
            return Progress::Current;
        };
        let LogProgress {
            caught_up,
            read,
            left,
        } = *progress.borrow();
        if caught_up {
            Progress::Current
        } else {
            Progress::CatchingUp { read, left }
        }
    }

    /// Tells when something has changed, for pages that are kept up to date.
    #[must_use]
    pub fn changes(&self, scope: Scope) -> Changes {
        Changes::new(&self.shared.feed, scope)
    }

    /// What happened in a range up to `now`, step by step, to all of the scope
    /// or to one endpoint.
    ///
    /// # Errors
    /// See [`AttemptsError`].
    pub async fn series(
        &self,
        scope: Scope,
        endpoint: Option<EndpointId>,
        range: Range,
        now: Timestamp,
    ) -> Result<Series, AttemptsError> {
        self.ask(move |connection| query::series(connection, &scope, endpoint, range, now))
            .await
    }

    /// How these endpoints do, in the same order; rates are of a range up to
    /// `now`.
    ///
    /// # Errors
    /// See [`AttemptsError`].
    pub async fn endpoints(
        &self,
        scope: Scope,
        endpoints: Vec<EndpointId>,
        range: Range,
        now: Timestamp,
    ) -> Result<Vec<EndpointFigures>, AttemptsError> {
        self.ask(move |connection| query::endpoints(connection, &scope, &endpoints, range, now))
            .await
    }

    /// Endpoints that have taken nothing since some moment, the longest failing
    /// first.
    ///
    /// # Errors
    /// See [`AttemptsError`].
    pub async fn failing(&self, scope: Scope) -> Result<Vec<Failing>, AttemptsError> {
        self.ask(move |connection| query::failing(connection, &scope))
            .await
    }

    /// What waits, of all of the scope or for one endpoint.
    ///
    /// # Errors
    /// See [`AttemptsError`].
    pub async fn waiting(
        &self,
        scope: Scope,
        endpoint: Option<EndpointId>,
    ) -> Result<Waiting, AttemptsError> {
        self.ask(move |connection| query::waiting(connection, &scope, endpoint))
            .await
    }

    /// Deliveries, the newest first, `limit` at most ([`MOST_ON_A_PAGE`]),
    /// behind the page that ended with `after`.
    ///
    /// # Errors
    /// See [`AttemptsError`].
    pub async fn deliveries(
        &self,
        scope: Scope,
        filter: Filter,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, AttemptsError> {
        self.ask(move |connection| query::page(connection, &scope, &filter, after, limit))
            .await
    }

    /// One delivery with its time line; `None` where there is none in the scope.
    ///
    /// # Errors
    /// See [`AttemptsError`].
    pub async fn delivery(
        &self,
        scope: Scope,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, AttemptsError> {
        self.ask(move |connection| query::delivery(connection, &scope, id))
            .await
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, AttemptsError> {
        let open = self.shared.open().ok_or(AttemptsError::Away)?;
        match open.reader.run(question).await {
            Ok(answer) => Ok(answer),
            Err(error) if error.is_broken_file() => {
                // The keeper makes it anew; one report is enough.
                if let Err(told) = open.broken.try_send(error) {
                    tracing::debug!(error = %told, "the index is being made anew already");
                }
                Err(AttemptsError::Away)
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Shared {
    fn open(&self) -> Option<Open> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.clone()
    }

    fn set_open(&self, open: Option<Open>) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = open;
        self.feed.tell_everybody();
    }
}
