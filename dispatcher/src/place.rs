//! Acting on the placement: a delivery that may be sent now goes where the
//! pure function says.

use std::{rc::Rc, time::Duration};

use domain::{Place, Timestamp, Waiting, place};

use crate::{
    endpoints::Entry,
    engine::Engine,
    gate::{Gate, Gates, Pumped},
    hand_on::To,
    work::Delivery,
};

/// A lane that waits for room looks again after this time: an endpoint that has
/// stopped answering must not hold it.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Engine {
    /// Places a delivery that is due, and waits with it where the placement
    /// says so.
    pub(crate) async fn admit(self: &Rc<Self>, delivery: Delivery) {
        let mut delivery = delivery;
        loop {
            match self.try_place(delivery) {
                None => return,
                Some((back, gate)) => {
                    delivery = back;
                    tokio::select! {
                        () = gate.room.notified() => {}
                        () = tokio::time::sleep(LOOK_AGAIN) => {}
                        () = delivery.ticket.lane().stopped() => {}
                    }
                }
            }
            if !delivery.ticket.may_begin() {
                return;
            }
        }
    }

    /// Places a delivery; gives it back when its lane has to wait for room.
    fn try_place(self: &Rc<Self>, delivery: Delivery) -> Option<(Delivery, Rc<Gate>)> {
        let Some(entry) = self.table.get(delivery.state.endpoint) else {
            self.drop_deleted(delivery);
            return None;
        };
        let gate = self.gates.of(&entry);
        let now = std::time::Instant::now();
        let view = self.gates.view(&gate, &entry, now);
        let waiting = Waiting {
            first_at: delivery.state.first_at,
            deferrals: delivery.state.deferrals,
            paced: delivery.paced,
        };
        let place = match &entry.ready {
            Err(crate::endpoints::NotReady::Sealed(_)) => {
                Place::Defer(self.schedule.for_deferral(delivery.state.deferrals))
            }
            Ok(_) | Err(crate::endpoints::NotReady::Refused(_)) => {
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
            Place::Wait => return Some((delivery, gate)),
            Place::Ready => self.hand_on(delivery, To::Ready),
            Place::Defer(tier) => self.defer(delivery, tier),
            Place::DeadLetter(reason) => self.hand_on(delivery, To::DeadLetter(reason)),
        }
        None
    }

    fn wait_at(self: &Rc<Self>, gate: &Rc<Gate>, delivery: Delivery) {
        Gates::enqueue(gate, delivery);
        self.pump(gate);
    }

    fn defer(self: &Rc<Self>, mut delivery: Delivery, tier: domain::Tier) {
        delivery.state.deferrals += 1;
        let due_at = Timestamp::now_rounded_up() + tier.delay();
        self.hand_on(delivery, To::Retry { tier, due_at });
    }

    pub(crate) fn drop_deleted(&self, delivery: Delivery) {
        self.metrics.dropped_deleted.inc();
        tracing::info!(delivery = %delivery.id(), "a delivery was dropped, its endpoint was deleted");
        delivery.ticket.done();
    }

    /// Starts what may be sent of what waits at a gate. Whether a share that
    /// was free is used now, or none was free.
    pub(crate) fn pump(self: &Rc<Self>, gate: &Rc<Gate>) -> bool {
        match self.gates.pump(gate, std::time::Instant::now()) {
            Pumped::Start(deliveries) => {
                for delivery in deliveries {
                    self.start_slot(gate, delivery);
                }
                true
            }
            Pumped::InLine => true,
            Pumped::LookAgain(time) => {
                self.pump_after(gate, time);
                false
            }
            Pumped::Nothing => false,
        }
    }

    fn pump_after(self: &Rc<Self>, gate: &Rc<Gate>, time: Duration) {
        let (engine, gate) = (Rc::clone(self), Rc::clone(gate));
        self.tasks.spawn_local(async move {
            tokio::select! {
                () = tokio::time::sleep(time) => {
                    Gates::timer_ended(&gate);
                    engine.pump(&gate);
                }
                () = engine.stopping.cancelled() => {}
            }
        });
    }

    /// Places anew what waits at endpoints that do not move.
    pub(crate) fn place_stuck(self: &Rc<Self>) {
        for delivery in self.gates.take_stuck(std::time::Instant::now()) {
            if delivery.ticket.may_begin()
                && let Some((delivery, gate)) = self.try_place(delivery)
            {
                self.wait_at(&gate, delivery);
            }
        }
    }

    /// Places a delivery anew whose endpoint was paused or disabled while it
    /// waited. Such a placement never waits for room.
    pub(crate) fn place_again(self: &Rc<Self>, delivery: Delivery, entry: &Entry) {
        if let Some((delivery, _)) = self.try_place(delivery) {
            tracing::debug!(endpoint = %entry.record.id, "the endpoint was enabled again meanwhile");
            let engine = Rc::clone(self);
            self.tasks
                .spawn_local(async move { engine.admit(delivery).await });
        }
    }

    fn count(&self, place: Place) {
        let name = match place {
            Place::Send => "send",
            Place::Queue => "queue",
            Place::Wait => "wait",
            Place::Ready => "ready",
            Place::Defer(_) => "deferred",
            Place::DeadLetter(_) => "dead_letter",
        };
        self.metrics.placed.with_label_values(&[name]).inc();
    }
}
