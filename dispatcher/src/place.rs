//! Acting on the placement: a delivery that may be sent now goes where the
//! pure function says.

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{AfterAttempt, DeadLetterReason, DeferReason, Place, Tier, Timestamp, Waiting, place};

use crate::{
    endpoints::{Entry, NotReady},
    engine::Engine,
    gate::{Gate, Gates, Pumped},
    hand_on::To,
    second_look::Looking,
    work::Delivery,
};

/// What became of a delivery that was placed.
enum Placed {
    /// It is on its way, or waits at its gate.
    Done,
    /// Its lane waits for room at this gate.
    NoRoom(Delivery, Rc<Gate>),
    /// It goes to `webhooks.ready`.
    ToReady(Delivery),
}

/// A lane that waits for room looks again after this time: an endpoint that has
/// stopped answering must not hold it.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

impl Engine {
    /// Places a delivery that is due, and waits with it where the placement
    /// says so.
    pub(crate) async fn admit(self: &Rc<Self>, delivery: Delivery) {
        let mut delivery = delivery;
        loop {
            if !delivery.ticket.may_begin() {
                return self.let_go(delivery);
            }
            match self.try_place(delivery) {
                Placed::Done => return,
                Placed::ToReady(back) => return self.to_ready(back).await,
                Placed::NoRoom(back, gate) => {
                    delivery = back;
                    tokio::select! {
                        () = gate.room.notified() => {}
                        () = tokio::time::sleep(LOOK_AGAIN) => {}
                        () = delivery.ticket.lane().stopped() => {}
                    }
                }
            }
        }
    }

    /// Hands a delivery on to `webhooks.ready`, when not too many are on their
    /// way there.
    pub(crate) async fn to_ready(self: &Rc<Self>, delivery: Delivery) {
        let permit = tokio::select! {
            permit = Arc::clone(&self.to_ready).acquire_owned() => permit.ok(),
            () = delivery.ticket.lane().stopped() => None,
        };
        if permit.is_none() {
            return self.let_go(delivery);
        }
        self.hand_on_holding(delivery, To::Ready, permit);
    }

    /// A delivery that may not begin any more, as its partition goes. Where
    /// others of the same event have begun, it is handed on, or the event's next
    /// owner would repeat those; else it is left to that owner.
    pub(crate) fn let_go(self: &Rc<Self>, delivery: Delivery) {
        if delivery.ticket.is_ours() && delivery.ticket.is_divided() {
            self.hand_on(delivery, To::Ready);
        }
    }

    /// Places a delivery; gives it back where somebody has to wait with it.
    fn try_place(self: &Rc<Self>, delivery: Delivery) -> Placed {
        let Some(entry) = self.entry_of(&delivery) else {
            self.second_look.add(Looking::At(delivery));
            return Placed::Done;
        };
        let gate = self.gates.of(&entry);
        let now = Instant::now();
        let view = self.gates.view(&gate, &entry, now);
        let waiting = Waiting {
            first_at: delivery.state.first_at,
            deferrals: delivery.state.deferrals,
            paced: delivery.paced,
        };
        let place = match &entry.ready {
            Err(NotReady::Sealed(_)) => Place::Defer {
                tier: self.schedule.for_deferral(delivery.state.deferrals),
                reason: DeferReason::Unsigned,
            },
            Ok(_) | Err(NotReady::Refused(_)) => {
                place(&view, waiting, Timestamp::now(), &self.schedule)
            }
        };
        self.count(place);
        match place {
            Place::Send => {
                self.gates.enter(&gate, now);
                self.start_slot(&gate, delivery);
            }
            Place::Queue => self.wait_at(&gate, delivery),
            Place::Wait if delivery.paced => self.wait_at(&gate, delivery),
            Place::Wait => return Placed::NoRoom(delivery, gate),
            Place::Ready => return Placed::ToReady(delivery),
            Place::Defer { tier, reason } => self.defer(delivery, tier, reason),
            Place::DeadLetter(reason) => self.give_up(delivery, reason),
        }
        Placed::Done
    }

    /// What is known of its endpoint. Whoever sends a delivery again names that:
    /// another account's is none.
    pub(crate) fn entry_of(&self, delivery: &Delivery) -> Option<Arc<Entry>> {
        let account = &delivery.event.headers.account;
        let entry = self.table.get(delivery.state.endpoint);
        entry.filter(|entry| entry.record.account == *account)
    }

    fn wait_at(self: &Rc<Self>, gate: &Rc<Gate>, delivery: Delivery) {
        Gates::enqueue(gate, delivery);
        self.pump(gate, Instant::now());
    }

    fn defer(self: &Rc<Self>, mut delivery: Delivery, tier: Tier, reason: DeferReason) {
        delivery.state.deferrals += 1;
        let due_at = Timestamp::now_rounded_up() + tier.delay();
        let after = AfterAttempt::Deferred {
            due_at,
            tier,
            reason,
        };
        self.log_without_attempt(&delivery, after);
        self.hand_on(delivery, To::Retry { tier, due_at });
    }

    /// Without an attempt.
    pub(crate) fn give_up(self: &Rc<Self>, delivery: Delivery, reason: DeadLetterReason) {
        self.log_without_attempt(&delivery, AfterAttempt::DeadLetter { reason });
        self.hand_on(delivery, To::DeadLetter(reason));
    }

    fn log_without_attempt(&self, delivery: &Delivery, after: AfterAttempt) {
        self.attempt_log
            .write(delivery, Timestamp::now(), None, after, &self.metrics);
    }

    /// Starts what may be sent of what waits at a gate.
    pub(crate) fn pump(self: &Rc<Self>, gate: &Rc<Gate>, now: Instant) {
        match self.gates.pump(gate, now) {
            Pumped::Start(deliveries) => {
                for delivery in deliveries {
                    self.start_slot(gate, delivery);
                }
            }
            Pumped::LookAgain(time) => self.pump_after(gate, time),
            Pumped::Nothing => {}
        }
    }

    fn pump_after(self: &Rc<Self>, gate: &Rc<Gate>, time: Duration) {
        let (engine, gate) = (Rc::clone(self), Rc::clone(gate));
        self.tasks.spawn_local(async move {
            tokio::select! {
                () = tokio::time::sleep(time) => {
                    Gates::timer_ended(&gate);
                    engine.pump(&gate, Instant::now());
                }
                () = engine.stopping.cancelled() => {}
            }
        });
    }

    /// Places anew what waits at endpoints that do not move.
    pub(crate) fn place_stuck(self: &Rc<Self>) {
        for delivery in self.gates.take_stuck(Instant::now()) {
            if !delivery.ticket.may_begin() {
                self.let_go(delivery);
                continue;
            }
            match self.try_place(delivery) {
                Placed::Done => {}
                Placed::NoRoom(delivery, gate) => self.wait_at(&gate, delivery),
                // What waits is bounded by the gates' queues.
                Placed::ToReady(delivery) => self.hand_on(delivery, To::Ready),
            }
        }
    }

    /// Lets go of what waits and may not begin any more.
    pub(crate) fn let_stopped_go(self: &Rc<Self>) {
        for delivery in self.gates.take_stopped() {
            self.let_go(delivery);
        }
    }

    /// Places a delivery anew whose endpoint was paused or disabled while it
    /// waited.
    pub(crate) fn place_again(self: &Rc<Self>, delivery: Delivery) {
        let engine = Rc::clone(self);
        self.tasks
            .spawn_local(async move { engine.admit(delivery).await });
    }

    fn count(&self, place: Place) {
        let name = match place {
            Place::Send => "send",
            Place::Queue => "queue",
            Place::Wait => "wait",
            Place::Ready => "ready",
            Place::Defer { .. } => "deferred",
            Place::DeadLetter(_) => "dead_letter",
        };
        self.metrics.placed.of([name]).inc();
    }
}
