//! The request of a test event: made once, shown and sent.

use std::collections::BTreeMap;

use bytes::Bytes;
use delivery::{Attempt, Connector, ToSign};
use domain::{Envelope, EventData, EventId, EventKind, Timestamp};
use http::HeaderMap;

use super::Wish;
use super::addressee::Addressee;

/// A request as it goes out, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShownRequest {
    /// The endpoint's URL as its owner wrote it.
    pub(crate) url: String,
    /// All headers, by their names in small letters as they are sent.
    pub(crate) headers: BTreeMap<String, String>,
    /// The envelope.
    pub(crate) body: String,
}

/// The example of an event on its way to somebody.
#[derive(Debug)]
pub(super) struct Outgoing<'a> {
    to: &'a Addressee,
    event: EventKind,
    id: EventId,
    at: Timestamp,
    body: Bytes,
    traceparent: Option<&'a str>,
}

impl<'a> Outgoing<'a> {
    pub(super) fn new(to: &'a Addressee, wish: Wish<'a>) -> Self {
        let (id, at) = (EventId::generate(), Timestamp::now());
        let envelope = Envelope::new(id, at, EventData::example(wish.event));
        let body = envelope.to_bytes().expect("an example is a short event");
        Self {
            to,
            event: wish.event,
            id,
            at,
            body: body.into(),
            traceparent: wish.traceparent,
        }
    }

    /// What is sent, or was: each call signs the same for the same moment.
    pub(super) fn shown(&self) -> ShownRequest {
        let sign = |headers: &mut HeaderMap| self.sign(headers);
        let headers = self.to.target.headers(sign, self.body.len());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ShownRequest {
            url: self.to.url.clone(),
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
                .collect(),
            body: text(&self.body),
        }
    }

    pub(super) async fn send(&self, by: &Connector) -> Attempt {
        let sign = |headers: &mut HeaderMap| self.sign(headers);
        by.send_once(&self.to.target, sign, self.body.clone()).await
    }

    fn sign(&self, headers: &mut HeaderMap) {
        let request = ToSign {
            event: self.event,
            id: self.id,
            attempt: 1,
            at: self.at,
            body: &self.body,
            keys: &self.to.keys,
            traceparent: self.traceparent,
            test: true,
        };
        self.to.headers.sign(&request, headers);
    }
}
