//! Reading the lanes: one task a partition, from its assignment on.

use std::{rc::Rc, sync::Arc, time::Duration};

use domain::{Tier, Timestamp, record::DeliveryHeaders};
use rdkafka::consumer::base_consumer::PartitionQueue;
use tokio::sync::Notify;

use crate::{
    engine::Engine,
    fan_out::FannedOut,
    incoming::{Content, Holds, Incoming},
    lane::{Lane, LaneKind},
    offsets::Begun,
    rebalance::Context,
    work::{Delivery, Event, Ticket},
};

/// A due time further off than this beyond the tier is not believed: it was
/// written by a clock that is wrong.
const BELIEVED: Duration = Duration::from_secs(60);
/// How often an empty queue is looked at without being told.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// After so many records the other tasks have their turn.
const TURN: u32 = 32;

/// A partition's records.
pub(crate) struct Queue {
    pub(crate) records: PartitionQueue<Context>,
    pub(crate) nonempty: Arc<Notify>,
}

impl Engine {
    /// Reads a lane until it is stopped.
    pub(crate) async fn read(self: Rc<Self>, lane: Rc<Lane>, queue: Queue) {
        let holds = match lane.kind {
            LaneKind::Source => Holds::Events,
            LaneKind::Delay(_) | LaneKind::Paced => Holds::Deliveries,
        };
        let mut endpoints = Vec::new();
        let mut turn = 0_u32;
        // The queue itself is held, too: a lane is drained when nobody reads it.
        lane.took(0);
        while lane.room().await {
            let incoming = match queue.records.poll(Duration::ZERO) {
                Some(Ok(message)) => Incoming::read(&message, holds),
                Some(Err(error)) => {
                    tracing::warn!(topic = lane.topic(), partition = lane.partition(), %error, "a fetch failed, it is tried again");
                    continue;
                }
                None => {
                    tokio::select! {
                        () = queue.nonempty.notified() => {}
                        () = lane.stopped() => {}
                        // Whoever drops an older queue of the same partition
                        // late takes the notification away.
                        () = tokio::time::sleep(LOOK_AGAIN) => {}
                    }
                    continue;
                }
            };
            turn = turn.wrapping_add(1);
            if turn.is_multiple_of(TURN) {
                tokio::task::yield_now().await;
            }
            if !self.begin(&lane, &incoming) {
                continue;
            }
            let ticket = Ticket::new(&lane, incoming.offset, incoming.bytes);
            match incoming.content {
                Err(poison) => {
                    self.count_event("undecodable");
                    self.hand_on_poison(ticket, poison.account, poison.value, &poison.wrong);
                }
                Ok(Content::Event(event)) => {
                    let first_at = incoming
                        .written_at
                        .map_or_else(Timestamp::now, Timestamp::from_millis);
                    let event = FannedOut::not_yet(event, first_at, ticket);
                    if let Some(event) = self.fan_out(event, &mut endpoints).await {
                        self.look_twice(event);
                    }
                }
                Ok(Content::Delivery(event, state)) => {
                    self.deliver(&lane, event, state, ticket, incoming.written_at)
                        .await;
                }
            }
        }
        drop(queue);
        lane.released(0);
    }

    /// Takes note of a record in its lane's offsets. Whether it is to be worked
    /// on.
    fn begin(&self, lane: &Lane, incoming: &Incoming) -> bool {
        match lane.begin(incoming.offset, incoming.written_at) {
            Begun::New => true,
            Begun::Known => false,
            Begun::AfterGap { missed } => {
                self.count_gap("missing");
                tracing::debug!(
                    topic = lane.topic(),
                    partition = lane.partition(),
                    missed,
                    "offsets were not there to be read"
                );
                true
            }
            Begun::Restarted => {
                self.count_gap("restarted");
                tracing::error!(
                    topic = lane.topic(),
                    partition = lane.partition(),
                    offset = incoming.offset,
                    "the partition begins anew below the committed offset: was the topic deleted and made again?"
                );
                true
            }
        }
    }

    fn count_gap(&self, kind: &'static str) {
        self.metrics.offset_gaps.of([kind]).inc();
    }

    /// Takes a delivery that was handed on before: waits until it is due where
    /// its lane is a delay, and places it.
    async fn deliver(
        self: &Rc<Self>,
        lane: &Rc<Lane>,
        event: Event,
        mut state: DeliveryHeaders,
        ticket: Ticket,
        written_at: Option<i64>,
    ) {
        if let LaneKind::Delay(tier) = lane.kind {
            let due_at = due_at(&state, tier, written_at);
            if !self.until_due(lane, due_at).await {
                return;
            }
            self.metrics
                .late_seconds
                .with_label_values(&[&tier.to_string()])
                .observe(Timestamp::now().since(due_at).as_secs_f64());
        }
        let id = state.id(event.headers.id);
        let seen = lane.seen(ticket.offset());
        if self.repeated.borrow_mut().is_repeated(id, &state, seen) {
            self.metrics.repeated_records.inc();
            return ticket.done();
        }
        state.due_at = None;
        self.admit(Delivery {
            event: Rc::new(event),
            state,
            paced: lane.kind == LaneKind::Paced,
            ticket,
        })
        .await;
    }

    /// Holds the head of a delay lane. False when the lane was stopped first.
    async fn until_due(&self, lane: &Lane, due_at: Timestamp) -> bool {
        loop {
            let wait = due_at.since(Timestamp::now());
            if wait.is_zero() {
                return lane.is_read();
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = lane.stopped() => return false,
            }
        }
    }
}

/// When a delivery on a delay topic is due.
fn due_at(state: &DeliveryHeaders, tier: Tier, written_at: Option<i64>) -> Timestamp {
    let written = written_at.map(Timestamp::from_millis);
    match (state.due_at, written) {
        (Some(due), Some(written)) if due > written + tier.delay() + BELIEVED => {
            written + tier.delay()
        }
        (Some(due), _) => due,
        (None, Some(written)) => written + tier.delay(),
        (None, None) => Timestamp::now(),
    }
}
