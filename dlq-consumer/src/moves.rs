//! Taking an entry off the failed list: sent again, or discarded.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::record::{self, DeliveryHeaders};
use domain::{Timestamp, Topics};
use kafka::{MoveError, Mover, Record, Table};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::RunError;
use crate::index::{IndexError, Reader, Scope};
use crate::letter::{self, Letter};
use crate::list::Trouble;
use crate::metrics::Metrics;

/// How long an answer waits until the list shows the move. The reader is a few
/// milliseconds behind, as long as the broker answers.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// Moves that are written at once: each holds an envelope in memory, and the
/// [`Mover`] takes 256 that wait.
pub(crate) const AT_ONCE: usize = 128;

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The schedule starts again, with the same bytes and the same event id.
    Resend,
    /// Nobody wants it any more.
    Discard,
}

impl Action {
    pub(crate) const ALL: [Self; 2] = [Self::Resend, Self::Discard];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Resend => "resend",
            Self::Discard => "discard",
        }
    }
}

/// Who wants which entry moved.
#[derive(Debug)]
pub(crate) struct Order {
    /// What the caller may see.
    pub(crate) scope: Scope,
    /// The caller's token, by its id.
    pub(crate) token: String,
    pub(crate) id: String,
    pub(crate) action: Action,
}

/// Why an entry was not moved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotMoved {
    /// It is not on the list, or not for this caller to see.
    #[error("it is not on the failed list")]
    NotLive,
    /// Nothing can be sent from it.
    #[error("the record cannot be read, so there is nothing to send")]
    Poison,
    /// Another request for the same entry is under way.
    #[error("another request moves it right now")]
    UnderWay,
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Kafka(#[from] MoveError),
}

/// The records that move a letter, all in one transaction. The last one is the
/// tombstone that takes it off the list.
fn records(
    letter: &Letter,
    action: Action,
    now: Timestamp,
    topics: &Topics,
) -> Result<Vec<Record<'static>>, NotMoved> {
    let tombstone = Record::tombstone(topics.dead_letter.clone(), letter.id.clone().into_bytes());
    match action {
        Action::Resend => Ok(vec![again(letter, now, topics)?, tombstone]),
        Action::Discard => Ok(vec![tombstone]),
    }
}

/// The delivery as it was before its first attempt.
fn again(letter: &Letter, now: Timestamp, topics: &Topics) -> Result<Record<'static>, NotMoved> {
    if letter.poison {
        return Err(NotMoved::Poison);
    }
    let unreadable = |_: record::RecordError| NotMoved::Poison;
    let event = letter::event_headers(&letter.headers).map_err(unreadable)?;
    let before = letter::delivery_headers(&letter.headers).map_err(unreadable)?;
    let anew = DeliveryHeaders::first(before.endpoint, now, before.source);
    let key = before.endpoint.to_string().into_bytes();
    let record = Record::new(topics.resend.clone(), key, letter.value.clone());
    Ok(anew
        .write(&event)
        .into_iter()
        .fold(record, |record, (name, value)| record.header(name, value)))
}

/// Moves entries, each once: an id is claimed from before the list is looked
/// at until the list's reader has passed the tombstone, and there is no other
/// process that moves ([`Mover`] holds the transactional id).
#[derive(Debug, Clone)]
pub(crate) struct Moves {
    pub(crate) mover: Arc<Mover>,
    pub(crate) table: Arc<Table>,
    pub(crate) reader: Reader,
    pub(crate) topics: Arc<Topics>,
    pub(crate) metrics: Metrics,
    pub(crate) trouble: Trouble,
    /// A move goes on when its client has gone, and ends before the process does.
    pub(crate) tasks: TaskTracker,
    pub(crate) claims: Claims,
    /// Moves that are written at once; others wait here instead of being refused.
    pub(crate) room: Arc<Semaphore>,
}

impl Moves {
    /// Moves one live entry. Returns when the list shows it. Dropping the
    /// future does not stop a move.
    pub(crate) async fn one(&self, order: Order) -> Result<(), NotMoved> {
        let claim = match self.claim(&order).await {
            Ok(claim) => claim,
            Err(error) => {
                self.metrics.moved(order.action, Some(&error));
                return Err(error);
            }
        };
        let (reply, outcome) = oneshot::channel();
        self.tasks
            .spawn(self.clone().carry_out(order, claim, reply));
        let stopped = |_| MoveError::Unknown("the process is stopping".to_owned());
        outcome.await.map_err(stopped)?
    }

    async fn claim(&self, order: &Order) -> Result<Claim, NotMoved> {
        // Only who may see an entry learns that it is being moved.
        let seen = self.reader.find(order.scope.clone(), order.id.clone());
        seen.await?.ok_or(NotMoved::NotLive)?;
        self.claims.take(&order.id).ok_or(NotMoved::UnderWay)
    }

    async fn carry_out(
        self,
        order: Order,
        claim: Claim,
        reply: oneshot::Sender<Result<(), NotMoved>>,
    ) {
        let Order { id, action, .. } = &order;
        let outcome = {
            let _room = self.room.acquire().await;
            self.write(&order).await
        };
        self.metrics.moved(*action, outcome.as_ref().err());
        let tombstone = match outcome {
            Ok(offset) => offset,
            Err(error) => {
                if let NotMoved::Kafka(MoveError::Fenced(reason)) = &error {
                    self.trouble.report(RunError::Fenced(reason.clone()));
                }
                // The client may have gone.
                drop(reply.send(Err(error)));
                return;
            }
        };
        let (action, token) = (action.as_str(), &order.token);
        tracing::info!(
            delivery = id,
            action,
            token,
            "an entry left the failed list"
        );
        let mut shown = std::pin::pin!(self.table.wait_for(tombstone));
        let in_time = timeout(SHOWN_WITHIN, shown.as_mut()).await;
        drop(reply.send(Ok(())));
        if in_time.is_err() {
            // Else the entry would look live to the next request. When the
            // reading ends, so does the process.
            shown.await.ok();
        }
        drop(claim);
    }

    /// Writes the move and gives the tombstone's offset.
    async fn write(&self, order: &Order) -> Result<i64, NotMoved> {
        let found = self.reader.find(order.scope.clone(), order.id.clone());
        let letter = found.await?.ok_or(NotMoved::NotLive)?;
        let records = records(&letter, order.action, Timestamp::now(), &self.topics)?;
        let stored = self.mover.move_records(records).await?;
        let lost = || MoveError::Unknown("Kafka did not say where the records stand".to_owned());
        Ok(stored.last().ok_or_else(lost)?.offset)
    }
}

/// The ids of entries that are being moved.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims {
    ids: Arc<Mutex<HashSet<String>>>,
}

/// One id, claimed until this is dropped.
#[derive(Debug)]
struct Claim {
    id: String,
    of: Claims,
}

impl Claims {
    fn take(&self, id: &str) -> Option<Claim> {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.insert(id.to_owned()).then(|| Claim {
            id: id.to_owned(),
            of: self.clone(),
        })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut ids = self.of.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.remove(&self.id);
    }
}
