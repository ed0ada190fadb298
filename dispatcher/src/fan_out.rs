//! From an event to its deliveries.

use std::rc::Rc;

use domain::{
    EndpointId, FilteredEvent, Timestamp,
    record::{Coordinates, DeliveryHeaders},
};

use crate::{
    engine::Engine,
    work::{Delivery, Event, Ticket},
};

/// An event with more endpoints than this goes through `webhooks.ready`: its
/// source then completes after as many writes, however slow the endpoints are.
const MOST_IN_MEMORY: usize = 32;

impl Engine {
    /// Makes a delivery for each endpoint that gets this event. They are first
    /// due when the event was written: the same again when a crash repeats it.
    pub(crate) async fn fan_out(
        self: &Rc<Self>,
        event: Event,
        first_at: Timestamp,
        ticket: Ticket,
        endpoints: &mut Vec<EndpointId>,
    ) {
        endpoints.clear();
        self.table.interested(
            &event.headers.account,
            &FilteredEvent::new(event.headers.kind, &event.body),
            endpoints,
        );
        let Some((last, others)) = endpoints.split_last() else {
            self.count_event("delivered_to_none");
            return ticket.done();
        };
        self.count_event("fanned_out");
        let source = ticket.coordinates();
        let event = Rc::new(event);
        let through_ready = endpoints.len() > MOST_IN_MEMORY;
        for endpoint in others {
            if !ticket.may_begin() && !ticket.is_divided() {
                return;
            }
            let share = ticket.share();
            self.go(&event, *endpoint, first_at, &source, share, through_ready)
                .await;
        }
        self.go(&event, *last, first_at, &source, ticket, through_ready)
            .await;
    }

    async fn go(
        self: &Rc<Self>,
        event: &Rc<Event>,
        endpoint: EndpointId,
        first_at: Timestamp,
        source: &Coordinates,
        ticket: Ticket,
        through_ready: bool,
    ) {
        let delivery = Delivery {
            event: Rc::clone(event),
            state: DeliveryHeaders::first(endpoint, first_at, Some(source.clone())),
            paced: false,
            ticket,
        };
        if through_ready {
            self.to_ready(delivery).await;
        } else {
            self.admit(delivery).await;
        }
    }

    pub(crate) fn count_event(&self, result: &str) {
        self.metrics.events.with_label_values(&[result]).inc();
    }
}
