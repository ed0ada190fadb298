//! A record on its way to a topic.

use std::borrow::Cow;

use rdkafka::{
    message::{Header, OwnedHeaders},
    producer::BaseRecord,
    util::IntoOpaque,
};

/// A record to write. It gets the time of writing as its timestamp, and its
/// partition by the key as Java clients choose it, unless it names one.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    pub(crate) topic: Cow<'a, str>,
    pub(crate) key: Cow<'a, [u8]>,
    pub(crate) value: Option<Cow<'a, [u8]>>,
    pub(crate) headers: Option<OwnedHeaders>,
    partition: Option<i32>,
    header_bytes: usize,
}

/// Where a record was written: on all in-sync replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The partition.
    pub partition: i32,
    /// The offset in it.
    pub offset: i64,
}

impl<'a> Record<'a> {
    /// A record with a value.
    pub fn new(
        topic: impl Into<Cow<'a, str>>,
        key: impl Into<Cow<'a, [u8]>>,
        value: impl Into<Cow<'a, [u8]>>,
    ) -> Self {
        Self {
            value: Some(value.into()),
            ..Self::tombstone(topic, key)
        }
    }

    /// A record without a value: in a compacted topic it removes its key.
    pub fn tombstone(topic: impl Into<Cow<'a, str>>, key: impl Into<Cow<'a, [u8]>>) -> Self {
        Self {
            topic: topic.into(),
            key: key.into(),
            value: None,
            headers: None,
            partition: None,
            header_bytes: 0,
        }
    }

    /// Goes to this partition, whatever the key; `None` leaves it to the key.
    #[must_use]
    pub fn to_partition(mut self, partition: Option<i32>) -> Self {
        self.partition = partition;
        self
    }

    /// Adds a header after those already there. A name may occur twice: whoever
    /// replaces headers leaves the old one out.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        const USUAL_HEADERS: usize = 16;
        let value = value.as_ref();
        let headers = self
            .headers
            .unwrap_or_else(|| OwnedHeaders::new_with_capacity(USUAL_HEADERS));
        self.headers = Some(headers.insert(Header {
            key: name,
            value: Some(value),
        }));
        self.header_bytes += name.len() + value.len();
        self
    }

    /// Adds headers in their order, as [`Record::header`] does each.
    #[must_use]
    pub fn headers(self, headers: &[(&str, String)]) -> Self {
        headers
            .iter()
            .fold(self, |record, (name, value)| record.header(name, value))
    }

    /// As the client takes it, with what comes back with its outcome.
    pub(crate) fn native<O: IntoOpaque>(&mut self, opaque: O) -> BaseRecord<'_, [u8], [u8], O> {
        let headers = self.headers.take();
        let mut native = BaseRecord::with_opaque_to(&self.topic, opaque).key(&*self.key);
        native.payload = self.value.as_deref();
        native.headers = headers;
        native.partition = self.partition;
        native
    }

    /// The topic it goes to.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Bytes of key, value and headers.
    pub(crate) fn bytes(&self) -> usize {
        self.key.len() + self.value.as_ref().map_or(0, |value| value.len()) + self.header_bytes
    }
}
