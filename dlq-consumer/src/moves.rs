//! One delivery sent again, from the failed list or from its event, or discarded.

mod claims;
pub(crate) mod records;

use std::sync::Arc;
use std::time::Duration;

use domain::{AuditRecord, JobAction, Timestamp, Topics};
use kafka::{MoveError, Mover, Table};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::RunError;
use crate::index::{IndexError, Reader, Scope};
use crate::list::Trouble;
use crate::metrics::Metrics;
use claims::Claim;
pub(crate) use claims::Claims;
use records::{Sendable, Unreadable};

/// How long an answer waits until the list shows the move. The reader is a few
/// milliseconds behind, as long as the broker answers.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// Moves that are written at once: each holds an envelope in memory, and the
/// [`Mover`] takes 256 that wait.
pub(crate) const AT_ONCE: usize = 128;

/// Who wants which entry moved.
#[derive(Debug)]
pub(crate) struct Order {
    /// What the caller may see.
    pub(crate) scope: Scope,
    /// The caller's token, by its id.
    pub(crate) token: String,
    pub(crate) id: String,
    pub(crate) action: JobAction,
    /// What is sent where there is no such entry: the caller was found to own
    /// it. `None` asks for an entry.
    pub(crate) instead: Option<Sendable>,
}

impl Order {
    /// The word in metrics and the log.
    pub(crate) const fn name(&self) -> &'static str {
        match &self.instead {
            None => self.action.as_str(),
            Some(_) => RESEND_DELIVERY,
        }
    }
}

/// [`Order::name`] of a delivery that is sent again and need not have failed.
pub(crate) const RESEND_DELIVERY: &str = "resend_delivery";

/// Why an entry was not moved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotMoved {
    /// It is not on the list, or not for this caller to see.
    #[error("it is not on the failed list")]
    NotLive,
    /// Nothing can be sent from it.
    #[error(transparent)]
    Poison(#[from] Unreadable),
    /// Another request for the same entry is under way.
    #[error("another request moves it right now")]
    UnderWay,
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Kafka(#[from] MoveError),
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
    /// Moves one delivery. Returns when the list shows it. Dropping the future
    /// does not stop a move.
    pub(crate) async fn one(&self, order: Order) -> Result<(), NotMoved> {
        let claim = match self.claim(&order).await {
            Ok(claim) => claim,
            Err(error) => {
                self.metrics.moved(order.name(), Some(&error));
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
        if order.instead.is_none() {
            let seen = self.reader.find(order.scope.clone(), order.id.clone());
            seen.await?.ok_or(NotMoved::NotLive)?;
        }
        let claim = self.claims.take(vec![order.id.clone()]);
        claim.ok_or(NotMoved::UnderWay)
    }

    async fn carry_out(
        self,
        mut order: Order,
        claim: Claim,
        reply: oneshot::Sender<Result<(), NotMoved>>,
    ) {
        let action = order.name();
        let outcome = {
            let _room = self.room.acquire().await;
            self.write(&mut order).await
        };
        self.metrics.moved(action, outcome.as_ref().err());
        let tombstone = match outcome {
            Ok(tombstone) => tombstone,
            Err(error) => {
                if let NotMoved::Kafka(MoveError::Fenced(reason)) = &error {
                    self.trouble.report(RunError::Fenced(reason.clone()));
                }
                // The client may have gone.
                drop(reply.send(Err(error)));
                return;
            }
        };
        let Order { id, token, .. } = &order;
        tracing::info!(delivery = id, action, token, "a delivery was moved");
        match tombstone {
            // Else the entry would look live to the next request.
            Some(tombstone) => when_shown(&self.table, tombstone, reply, Ok(())).await,
            None => drop(reply.send(Ok(()))),
        }
        drop(claim);
    }

    /// Writes the move, and who did it, in one transaction. Gives the offset of
    /// the entry's tombstone; `None` where there was no entry.
    async fn write(&self, order: &mut Order) -> Result<Option<i64>, NotMoved> {
        let found = self.reader.find(order.scope.clone(), order.id.clone());
        let now = Timestamp::now();
        let (records, account, detail, is_entry) = match (found.await?, order.instead.take()) {
            (Some(letter), _) => {
                let records = records::of_letter(&letter, order.action, now, &self.topics)?;
                let detail = format!("from the failed list: {}", letter.reason.as_str());
                (records, letter.account, detail, true)
            }
            (None, Some(sendable)) => {
                let account = Some(sendable.event.account.clone());
                let detail = match &sendable.source {
                    Some(source) => format!("from {source}"),
                    None => String::new(),
                };
                let again = sendable.again(now, &self.topics);
                (vec![again], account, detail, false)
            }
            (None, None) => return Err(NotMoved::NotLive),
        };
        let audit = AuditRecord {
            at: now,
            account,
            token: order.token.clone(),
            action: order.action.of_one(),
            subject: order.id.clone(),
            detail: Some(detail),
        };
        let mut all = vec![records::audit(&audit, &self.topics)];
        all.extend(records);
        let stored = self.mover.move_records(all).await?;
        let lost = || MoveError::Unknown("Kafka did not say where the records stand".to_owned());
        let last = stored.last().ok_or_else(lost)?;
        Ok(is_entry.then_some(last.offset))
    }
}

/// Answers once the table's reader has passed the record at `offset`, or after
/// a while, and returns when it has, which it does not when the reading ends:
/// then so does the process.
pub(crate) async fn when_shown<T>(
    table: &Table,
    offset: i64,
    reply: oneshot::Sender<T>,
    answer: T,
) {
    let mut shown = std::pin::pin!(table.wait_for(offset));
    let in_time = timeout(SHOWN_WITHIN, shown.as_mut()).await;
    // The client may have gone.
    drop(reply.send(answer));
    if in_time.is_err() {
        shown.await.ok();
    }
}
