//! Reading consumed records: what a lane takes out of one before it lets go of
//! librdkafka's buffer.

use bytes::Bytes;
use domain::record::{DeliveryHeaders, EventHeaders, NotAnEvent, header};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

use crate::work::Event;

/// A consumed record.
pub(crate) struct Incoming {
    pub(crate) offset: i64,
    /// When it was written, in ms since 1970.
    pub(crate) written_at: Option<i64>,
    /// Bytes that it keeps in memory.
    pub(crate) bytes: usize,
    pub(crate) content: Result<Content, Poison>,
}

/// What it holds.
pub(crate) enum Content {
    /// An event, to be fanned out.
    Event(Event),
    /// One delivery.
    Delivery(Event, DeliveryHeaders),
}

/// A record that cannot be read.
pub(crate) struct Poison {
    pub(crate) account: Option<String>,
    pub(crate) value: Bytes,
    pub(crate) wrong: String,
}

/// What a topic holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Events,
    Deliveries,
}

/// Rough bytes of a record's bookkeeping.
const OVERHEAD: usize = 512;

impl Incoming {
    pub(crate) fn read(message: &BorrowedMessage<'_>, holds: Holds) -> Self {
        let payload = message.payload().unwrap_or_default();
        let mut headers: Vec<(&str, &[u8])> = Vec::new();
        if let Some(given) = message.headers() {
            headers.reserve(given.count());
            for header in given.iter() {
                headers.extend(header.value.map(|value| (header.key, value)));
            }
        }
        let get = |name: &str| {
            headers
                .iter()
                .rev()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| *value)
        };
        let content = content(get, payload, holds).map_err(|wrong| Poison {
            account: get(header::ACCOUNT)
                .and_then(|account| std::str::from_utf8(account).ok())
                .map(str::to_owned),
            value: Bytes::copy_from_slice(payload),
            wrong: wrong.to_string(),
        });
        Self {
            offset: message.offset(),
            written_at: message.timestamp().to_millis(),
            bytes: payload.len() + OVERHEAD,
            content,
        }
    }
}

fn content<'a>(
    get: impl Fn(&str) -> Option<&'a [u8]>,
    payload: &[u8],
    holds: Holds,
) -> Result<Content, NotAnEvent> {
    let (headers, delivery) = match holds {
        Holds::Events => (EventHeaders::beside(payload, &get)?, None),
        Holds::Deliveries => {
            let headers = EventHeaders::read(&get)?;
            (headers, Some(DeliveryHeaders::read(&get)?))
        }
    };
    let event = Event {
        headers,
        body: Bytes::copy_from_slice(payload),
    };
    Ok(match delivery {
        None => Content::Event(event),
        Some(delivery) => Content::Delivery(event, delivery),
    })
}
