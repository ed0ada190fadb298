//! Publishing events: for the HTTP server, for `producer import`, and as a
//! library for Rust services.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use domain::record::EventHeaders;
use domain::{
    AccountId, Envelope, EventId, InputError, Submission, Timestamp, Topics, partition_key,
};
use kafka::{Connection, ConnectionError, Delivery, NotFlushed, PublisherOptions, Record};

/// Publishes events to `feedback.events`. An event counts as accepted only
/// once all in-sync replicas have it.
///
/// ```no_run
/// use producer::{Connection, Publisher, PublisherOptions, Submission, Topics};
///
/// # async fn publish() -> Result<(), Box<dyn std::error::Error>> {
/// let connection = Connection::new("127.0.0.1:9092", "checkout", Default::default())?;
/// let publisher = Publisher::connect(
///     &connection,
///     &Topics::with_prefix(""),
///     PublisherOptions::default(),
/// )?;
///
/// let submission = Submission::parse(br#"{"event": "rating_submitted", "data": {
///     "score": 4, "product_sku": "BW-440-RED", "session_page": "/checkout/thank-you"}}"#)?;
/// let id = publisher
///     .publish(&"shop".parse()?, submission, Some("order-4711"))
///     .await?;
/// println!("accepted as {id}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Publisher {
    kafka: kafka::Publisher,
    topic: String,
}

/// An event to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Whose it is.
    pub account: AccountId,
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub submission: Submission,
    /// The trace it belongs to (W3C Trace Context), where there is one.
    pub traceparent: Option<String>,
}

/// Why an event was not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The event is longer than an envelope may be.
    #[error(transparent)]
    Event(#[from] InputError),
    /// Kafka has not acknowledged it.
    #[error(transparent)]
    Kafka(#[from] kafka::PublishError),
}

/// An event on its way: gives its id once all in-sync replicas have it.
/// Dropping it does not take the event back.
#[derive(Debug)]
#[must_use = "the event is durable only once this says so"]
pub struct Publication {
    id: EventId,
    delivery: Delivery,
}

impl Publisher {
    /// A publisher. It works on a thread of its own and needs a tokio runtime
    /// only where it is awaited.
    ///
    /// # Errors
    /// When the connection's properties cannot be used. A broker that is not
    /// there is no error: events wait for it until `options.message_timeout`.
    pub fn connect(
        connection: &Connection,
        topics: &Topics,
        options: PublisherOptions,
    ) -> Result<Self, ConnectionError> {
        Ok(Self {
            kafka: kafka::Publisher::open(connection, "publish", options)?,
            topic: topics.events.clone(),
        })
    }

    /// Publishes an event and waits until all in-sync replicas have it; before
    /// that, for room.
    ///
    /// With an idempotency key the id is the same on every call, so that
    /// receivers see the event once, although it is published each time.
    ///
    /// # Errors
    /// See [`PublishError`]. After most errors of Kafka the event may have
    /// been published ([`kafka::PublishError::may_be_written`]): publish it
    /// again with the same idempotency key.
    pub async fn publish(
        &self,
        account: &AccountId,
        submission: Submission,
        idempotency_key: Option<&str>,
    ) -> Result<EventId, PublishError> {
        let id = idempotency_key.map_or_else(EventId::generate, |key| {
            EventId::from_idempotency_key(account, key)
        });
        let event = NewEvent {
            account: account.clone(),
            id,
            submission,
            traceparent: None,
        };
        self.start(event).await?.await
    }

    /// Waits for room and hands the event over; the outcome comes later, so
    /// that many can be on their way. Events of one customer keep the order in
    /// which they were started.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn start(&self, event: NewEvent) -> Result<Publication, PublishError> {
        let NewEvent {
            account,
            id,
            submission: Submission { timestamp, data },
            traceparent,
        } = event;
        let time = timestamp.unwrap_or_else(Timestamp::now);
        let key = partition_key(&account, data.customer_id(), id);
        let headers = EventHeaders {
            account,
            id,
            kind: data.kind(),
            time,
            traceparent,
        }
        .write();
        let value = Envelope::new(id, time, data).to_bytes()?;
        let record = Record::new(self.topic.as_str(), key.into_bytes(), value);
        let delivery = self.kafka.start(record.headers(&headers)).await?;
        Ok(Publication { id, delivery })
    }

    /// Waits until everything started so far has its outcome, `limit` at most.
    ///
    /// # Errors
    /// When something is still on its way; it may be published later, or not.
    pub async fn flush(&self, limit: Duration) -> Result<(), NotFlushed> {
        self.kafka.flush(limit).await
    }

    /// Waits until the Kafka client cannot be used any more, which only a new
    /// process cures, and says why. Usually never.
    pub async fn failed(&self) -> String {
        self.kafka.failed().await
    }
}

impl Future for Publication {
    type Output = Result<EventId, PublishError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let id = self.id;
        Pin::new(&mut self.delivery)
            .poll(cx)
            .map(|outcome| Ok(outcome.map(|_| id)?))
    }
}
