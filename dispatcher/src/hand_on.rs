//! Handing a delivery on to another topic. The consumed record completes only
//! once all in-sync replicas have the new one; until then its lane waits, and
//! nothing is skipped.

use std::{rc::Rc, time::Duration};

use domain::{
    DeadLetterReason, EndpointId, READY_PARTITIONS, Tier, Timestamp,
    record::{self, DeliveryHeaders, Headers, LastError},
};
use kafka::{Publisher, Record};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    engine::Engine,
    work::{Delivery, Ticket},
};

/// Where a delivery is handed on to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum To {
    /// A retry topic, due at a moment.
    Retry { tier: Tier, due_at: Timestamp },
    /// `webhooks.ready`.
    Ready,
    /// The dead-letter topic.
    DeadLetter(DeadLetterReason),
}

/// The first wait after Kafka refused a record, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// So many are begun at once, and a sixteenth of what waits; then whatever is to be
/// sent has its turn.
const TURN: usize = 4;

/// A delivery that waits to be handed on.
pub(crate) struct Leaving {
    delivery: Delivery,
    to: To,
    /// Held until it is done.
    permit: Option<OwnedSemaphorePermit>,
}

impl Engine {
    /// Hands a delivery on, in the background. Its lane's look-ahead bounds how
    /// many are under way.
    pub(crate) fn hand_on(self: &Rc<Self>, delivery: Delivery, to: To) {
        self.hand_on_holding(delivery, to, None);
    }

    /// The same, and a permit is held until it is done.
    pub(crate) fn hand_on_holding(
        self: &Rc<Self>,
        delivery: Delivery,
        to: To,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        let mut waiting = self.to_hand_on.borrow_mut();
        waiting.push_back(Leaving {
            delivery,
            to,
            permit,
        });
        if waiting.len() == 1 {
            self.tasks.spawn_local(Rc::clone(self).hand_on_in_turns());
        }
    }

    /// Hands on what waits for it, a few at a time: it is not urgent, and what can be
    /// sent goes first.
    async fn hand_on_in_turns(self: Rc<Self>) {
        // Whoever adds one to an empty queue begins this anew.
        while !self.to_hand_on.borrow().is_empty() {
            tokio::task::yield_now().await;
            let turn = TURN + self.to_hand_on.borrow().len() / 16;
            for _ in 0..turn {
                let Some(next) = self.to_hand_on.borrow_mut().pop_front() else {
                    return;
                };
                self.tasks.spawn_local(Rc::clone(&self).hand_on_now(next));
            }
        }
    }

    async fn hand_on_now(self: Rc<Self>, leaving: Leaving) {
        let Leaving {
            delivery:
                Delivery {
                    event,
                    mut state,
                    ticket,
                    ..
                },
            to,
            permit: _until_done,
        } = leaving;
        self.gates.count_done();
        let id = state.id(event.headers.id);
        let (topic, key, partition) = match to {
            To::Retry { tier, due_at } => {
                state.due_at = Some(due_at);
                (self.topics.retry_tier(tier), id.to_string(), None)
            }
            To::Ready => {
                state.due_at = None;
                let endpoint = state.endpoint;
                let partition = self.ready_partition(endpoint);
                let key = endpoint.to_string();
                (self.topics.ready.clone(), key, Some(partition))
            }
            To::DeadLetter(reason) => {
                self.dead_letter_says(&mut state, reason, &event.headers);
                (self.topics.dead_letter.clone(), id.to_string(), None)
            }
        };
        let headers = state.write(&event.headers);
        self.write(ticket, || {
            Record::new(topic.as_str(), key.as_bytes(), event.body.as_ref())
                .to_partition(partition)
                .headers(&headers)
        })
        .await;
    }

    /// Half of `webhooks.ready` is for endpoints that keep pace: what they have no
    /// room for at one moment must not stand behind the backlog of a slow one. The
    /// two partitions of an endpoint belong to one family.
    fn ready_partition(&self, endpoint: EndpointId) -> i32 {
        const HALF: i32 = READY_PARTITIONS / 2;
        let [.., high, low] = endpoint.to_bytes();
        let partition = i32::from(u16::from_be_bytes([high, low])) % HALF;
        if self.gates.keeps_pace(endpoint, std::time::Instant::now()) {
            partition + HALF
        } else {
            partition
        }
    }

    fn dead_letter_says(
        &self,
        state: &mut DeliveryHeaders,
        reason: DeadLetterReason,
        event: &record::EventHeaders,
    ) {
        state.reason = Some(reason);
        state.due_at = None;
        // From here on the number says how many attempts were made.
        state.attempt = match reason {
            DeadLetterReason::AttemptsExhausted | DeadLetterReason::EndpointGone => state.attempt,
            DeadLetterReason::EndpointDisabled
            | DeadLetterReason::EndpointDeleted
            | DeadLetterReason::Expired
            | DeadLetterReason::Undecodable => state.attempt.saturating_sub(1),
        };
        self.metrics.dead_letters.of([reason.as_str()]).inc();
        tracing::warn!(
            delivery = %state.id(event.id),
            account = %event.account,
            event = %event.kind,
            reason = reason.as_str(),
            attempts = state.attempt,
            last_status = state.last_status,
            last_cause = state.last_error.as_ref().map(|error| error.cause.as_str()),
            "a delivery was given up, it is in the failed list"
        );
    }

    /// Hands a record on that cannot be read, with what is wrong with it.
    pub(crate) fn hand_on_poison(
        self: &Rc<Self>,
        ticket: Ticket,
        account: Option<String>,
        value: bytes::Bytes,
        wrong: &str,
    ) {
        let reason = DeadLetterReason::Undecodable;
        let source = ticket.coordinates();
        self.metrics.dead_letters.of([reason.as_str()]).inc();
        tracing::error!(%source, wrong, "a record cannot be read, it is in the failed list");
        let mut headers: Headers = vec![
            (record::header::REASON, reason.as_str().to_owned()),
            (record::header::SOURCE, source.to_string()),
            (
                record::header::LAST_ERROR,
                record::cut(&format!("protocol: {wrong}"), record::MAX_HEADER_BYTES).to_owned(),
            ),
        ];
        headers.extend(account.map(|account| (record::header::ACCOUNT, account)));
        let engine = Rc::clone(self);
        self.tasks.spawn_local(async move {
            let key = source.poison_key();
            engine
                .write(ticket, || {
                    let topic = engine.topics.dead_letter.as_str();
                    Record::new(topic, key.as_bytes(), value.as_ref()).headers(&headers)
                })
                .await;
        });
    }

    /// Writes a record until Kafka has it, then completes the consumed one.
    /// Gives up only when the partition is no longer ours: its next owner does
    /// the same work.
    async fn write<'a>(&self, ticket: Ticket, record: impl Fn() -> Record<'a>) {
        let mut pause = FIRST_PAUSE;
        loop {
            if !ticket.is_ours() || !self.pulse.is_steady(std::time::Instant::now()) {
                return;
            }
            match self.publisher.publish(record()).await {
                Ok(_) => return ticket.done(),
                Err(error) => {
                    self.metrics.write_retries.inc();
                    tracing::error!(%error, "a delivery cannot be handed on yet, its partition waits");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (2 * pause).min(LONGEST_PAUSE),
                () = ticket.lane().stopped() => {
                    if pause >= LONGEST_PAUSE {
                        return;
                    }
                    pause = LONGEST_PAUSE;
                }
            }
        }
    }
}

/// What a failed attempt leaves in a delivery's headers.
pub(crate) fn remember(state: &mut DeliveryHeaders, attempt: &delivery::Attempt) {
    state.last_status = attempt.outcome.status();
    state.last_error = attempt.outcome.cause().map(|cause| LastError {
        cause,
        text: attempt
            .failure()
            .map(|failure| match failure.split_once(": ") {
                Some((_, text)) => text.to_owned(),
                None => failure,
            })
            .unwrap_or_default(),
    });
}

/// Waits for what was handed on, for a moment.
pub(crate) async fn flush(publisher: &Publisher) {
    const MOMENT: Duration = Duration::from_secs(1);
    if let Err(error) = publisher.flush(MOMENT).await {
        tracing::warn!(%error, "records were given up: their sources are not complete and are read again");
    }
}
