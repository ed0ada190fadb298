//! From an event to its deliveries.

use std::rc::Rc;

use domain::{EndpointId, FilteredEvent, Timestamp, record::DeliveryHeaders};

use crate::{
    engine::Engine,
    work::{Delivery, Event, Ticket},
};

/// An event with more endpoints than this goes through `webhooks.ready`: its
/// source then completes after as many writes, however slow the endpoints are.
const MOST_IN_MEMORY: usize = 32;

/// An event, and how far it is fanned out.
#[derive(Debug)]
pub(crate) struct FannedOut {
    pub(crate) event: Rc<Event>,
    /// When its deliveries are first due.
    pub(crate) first_at: Timestamp,
    /// Who got it.
    pub(crate) endpoints: Vec<EndpointId>,
    /// The offset of the endpoint table up to which those are known.
    pub(crate) table_read_to: i64,
    pub(crate) ticket: Ticket,
}

impl FannedOut {
    /// To be fanned out: to nobody yet.
    pub(crate) fn not_yet(event: Event, first_at: Timestamp, ticket: Ticket) -> Self {
        Self {
            event: Rc::new(event),
            first_at,
            endpoints: Vec::new(),
            table_read_to: 0,
            ticket,
        }
    }
}

impl Engine {
    /// Makes a delivery for each endpoint that gets this event and has not got
    /// it. They are first due when the event was written: the same again when a
    /// crash repeats it. `new` is room for the list. Nothing comes back where it
    /// may not be begun any more.
    pub(crate) async fn fan_out(
        self: &Rc<Self>,
        mut so_far: FannedOut,
        new: &mut Vec<EndpointId>,
    ) -> Option<FannedOut> {
        new.clear();
        let event = &so_far.event;
        so_far.table_read_to = self.table.interested(
            &event.headers.account,
            &FilteredEvent::new(event.headers.kind, &event.body),
            new,
        );
        let begun = !so_far.endpoints.is_empty();
        if begun {
            so_far.endpoints.sort_unstable();
            new.retain(|endpoint| so_far.endpoints.binary_search(endpoint).is_err());
        } else if !so_far.ticket.may_begin() {
            return None;
        } else if !new.is_empty() {
            self.count_event("fanned_out");
        }
        if so_far.endpoints.len() + new.len() > 1 {
            so_far.ticket.divide();
        }
        let source = so_far.ticket.coordinates();
        let through_ready = new.len() > MOST_IN_MEMORY;
        for endpoint in &*new {
            let delivery = Delivery {
                event: Rc::clone(&so_far.event),
                state: DeliveryHeaders::first(*endpoint, so_far.first_at, Some(source.clone())),
                paced: false,
                ticket: so_far.ticket.share(),
            };
            if through_ready {
                self.to_ready(delivery).await;
            } else {
                self.admit(delivery).await;
            }
        }
        so_far.endpoints.extend_from_slice(new);
        Some(so_far)
    }

    pub(crate) fn count_event(&self, result: &'static str) {
        self.metrics.events.of([result]).inc();
    }
}
