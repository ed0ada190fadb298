//! The second look at the endpoint table.
//!
//! Events and endpoints are on topics of their own, so an event may be read
//! before the endpoint that was there first. Nobody waits for that: an event is
//! fanned out at once, by what is known. But its record is not complete before
//! the table was read up to a moment after the event had come; an endpoint that
//! has appeared by then gets the event, too. In the same way an endpoint counts
//! as deleted only when it is not in the table then.

use std::{cell::RefCell, rc::Rc, time::Duration};

use domain::DeadLetterReason;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until, timeout},
};

use crate::{engine::Engine, fan_out::FannedOut, work::Delivery};

/// How often the broker is asked where there are always events.
const EVERY: Duration = Duration::from_millis(20);
/// As much of that can be saved up: where events are few it is asked at once, as
/// an endpoint that is made after an event was read is not to get it.
const SAVED: Duration = Duration::from_millis(500);
/// So many do not wait for that: they hold their events' bodies.
const MANY: usize = 512;

/// How long a lane waits for the table before it is read.
const BEFORE: Duration = Duration::from_secs(1);

/// What waits for it.
#[derive(Debug)]
pub(crate) enum Looking {
    /// An event, for endpoints that did not get it.
    For(FannedOut),
    /// A delivery whose endpoint is not there.
    At(Delivery),
}

/// What waits for the next look.
#[derive(Debug, Default)]
pub(crate) struct SecondLook {
    waiting: RefCell<Vec<Looking>>,
    /// Something waits where nothing did.
    some: Notify,
    many: Notify,
}

impl SecondLook {
    pub(crate) fn add(&self, looking: Looking) {
        let mut waiting = self.waiting.borrow_mut();
        waiting.push(looking);
        match waiting.len() {
            1 => self.some.notify_one(),
            MANY => self.many.notify_one(),
            _ => {}
        }
    }

    /// What waits, once something does, from `due` on.
    async fn next(&self, due: Instant) -> Vec<Looking> {
        self.some.notified().await;
        tokio::select! {
            () = sleep_until(due) => {}
            () = self.many.notified() => {}
        }
        self.waiting.take()
    }
}

impl Engine {
    /// Waits until the table is read up to now. Events that stood there before, as
    /// the whole backlog of a restart, then need no second look. Whether it is.
    pub(crate) async fn table_is_current(&self) -> bool {
        let reached = timeout(BEFORE, self.table_end.reached()).await;
        reached.is_ok_and(|reached| reached.is_ok())
    }

    /// Takes second looks until nothing is to be begun any more, or the table
    /// is not read any more.
    pub(crate) async fn look_again(self: Rc<Self>) {
        let looks = async {
            let mut due = Instant::now();
            loop {
                let waiting = self.second_look.next(due).await;
                due = due.max(Instant::now() - SAVED) + EVERY;
                let Ok(end) = self.table_end.reached().await else {
                    return;
                };
                for looking in waiting {
                    self.look(looking, end);
                }
            }
        };
        tokio::select! {
            () = looks => {}
            () = self.stopping.cancelled() => {}
        }
    }

    /// The table is read up to `end`.
    fn look(self: &Rc<Self>, looking: Looking, end: i64) {
        match looking {
            Looking::For(event) if event.table_read_to >= end => self.settle(event),
            Looking::For(event) => {
                let engine = Rc::clone(self);
                self.tasks.spawn_local(async move {
                    if let Some(event) = engine.fan_out(event, &mut Vec::new()).await {
                        engine.settle(event);
                    }
                });
            }
            Looking::At(delivery) => match self.entry_of(&delivery) {
                Some(_) => self.place_again(delivery),
                None => self.without_endpoint(delivery),
            },
        }
    }

    /// Takes an event as it is fanned out by what was known.
    pub(crate) fn look_twice(&self, event: FannedOut) {
        if event.ticket.is_older_than_table() {
            self.settle(event);
        } else {
            self.second_look.add(Looking::For(event));
        }
    }

    /// Nobody else gets this event.
    fn settle(&self, event: FannedOut) {
        if event.endpoints.is_empty() {
            self.count_event("delivered_to_none");
        }
        event.ticket.done();
    }

    /// Whoever deletes an endpoint discards what waits for it. What a person has sent
    /// again since returns to the failed list: that discards nothing.
    fn without_endpoint(self: &Rc<Self>, delivery: Delivery) {
        if delivery.ticket.lane().topic() == self.topics.resend {
            return self.give_up(delivery, DeadLetterReason::EndpointDeleted);
        }
        self.metrics.dropped_deleted.inc();
        tracing::info!(delivery = %delivery.id(), "a delivery was dropped, its account has no such endpoint any more");
        delivery.ticket.done();
    }
}
