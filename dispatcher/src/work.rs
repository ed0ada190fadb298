//! What is worked on: an event, a delivery of it, and the record it came from.

use std::{cell::Cell, rc::Rc};

use bytes::Bytes;
use domain::{
    DeliveryId,
    record::{Coordinates, DeliveryHeaders, EventHeaders},
};

use crate::lane::Lane;

/// An event as it was read: its headers and the bytes that are delivered.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) headers: EventHeaders,
    pub(crate) body: Bytes,
}

/// One event for one endpoint, on its way.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) event: Rc<Event>,
    pub(crate) state: DeliveryHeaders,
    /// Whether it came from a lane that is read at the endpoints' pace.
    pub(crate) paced: bool,
    pub(crate) ticket: Ticket,
}

impl Delivery {
    pub(crate) fn id(&self) -> DeliveryId {
        self.state.id(self.event.headers.id)
    }

    /// Where the event stands in Kafka.
    pub(crate) fn source(&self) -> Coordinates {
        self.state
            .source
            .clone()
            .unwrap_or_else(|| self.ticket.coordinates())
    }
}

/// A share in a consumed record: the record completes once each of its shares
/// is [`Ticket::done`]. A share that is dropped leaves it incomplete, and
/// whoever is assigned the partition next reads it again.
#[derive(Debug)]
pub(crate) struct Ticket(Rc<Consumed>);

#[derive(Debug)]
struct Consumed {
    lane: Rc<Lane>,
    offset: i64,
    /// Of the lane when it was read: see [`Lane::begin`].
    generation: u32,
    bytes: usize,
    shares: Cell<usize>,
    divided: Cell<bool>,
}

impl Ticket {
    /// The only share of a record that was just read.
    pub(crate) fn new(lane: &Rc<Lane>, offset: i64, bytes: usize) -> Self {
        lane.took(bytes);
        Self(Rc::new(Consumed {
            lane: Rc::clone(lane),
            offset,
            generation: lane.generation(),
            bytes,
            shares: Cell::new(1),
            divided: Cell::new(false),
        }))
    }

    /// One more share of the same record.
    pub(crate) fn share(&self) -> Self {
        self.0.shares.set(self.0.shares.get() + 1);
        Self(Rc::clone(&self.0))
    }

    /// The record leads to several deliveries.
    pub(crate) fn divide(&self) {
        self.0.divided.set(true);
    }

    /// The outcome of this share is durable.
    pub(crate) fn done(self) {
        let left = self.0.shares.get() - 1;
        self.0.shares.set(left);
        if left == 0 {
            self.0.lane.complete(self.0.offset, self.0.generation);
        }
    }

    /// Whether the partition is still assigned since the record was read. What
    /// is not is another dispatcher's to do.
    pub(crate) fn is_ours(&self) -> bool {
        self.0.lane.is_ours()
    }

    /// Whether new work may begin for it: the lane is neither lost nor drained.
    pub(crate) fn may_begin(&self) -> bool {
        self.0.lane.is_read()
    }

    /// Whether the record leads to other deliveries: leaving this one undone
    /// would repeat those.
    pub(crate) fn is_divided(&self) -> bool {
        self.0.divided.get()
    }

    /// Whether the record was there before the endpoint table was last waited for.
    pub(crate) fn is_older_than_table(&self) -> bool {
        self.0.offset < self.0.lane.older_than_table.get()
    }

    pub(crate) fn lane(&self) -> &Rc<Lane> {
        &self.0.lane
    }

    pub(crate) fn offset(&self) -> i64 {
        self.0.offset
    }

    pub(crate) fn coordinates(&self) -> Coordinates {
        self.0.lane.coordinates(self.0.offset)
    }
}

impl Drop for Consumed {
    fn drop(&mut self) {
        self.lane.released(self.bytes);
    }
}
