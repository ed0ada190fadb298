//! The load: events written straight to Kafka, as fast as it takes them or so
//! many a second, and events posted to the producer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::{EventData, EventId, NewFeedback, Segment, Submission, Text, Topics};
use e2e::{Broker, Client};
use indicatif::ProgressBar;
use producer::{AccountId, Connection, NewEvent, Publisher, PublisherOptions};
use serde_json::Value;
use tokio::task::JoinSet;

/// The bytes of an event as it is delivered.
pub(crate) const BYTES: usize = 1024;
/// The account whose token the test bed's client has.
const ACCOUNT: &str = "shop";
/// So long is an event without its comment, whatever its customer.
const WITHOUT_COMMENT: usize = 288;
const EIGHT: &str = "Danke!! ";
/// Different customers: more than any partitioner needs to spread them.
const CUSTOMERS: usize = 1000;
/// How long the last acknowledgements are waited for.
const FLUSH: Duration = Duration::from_secs(60);

/// Writes to `feedback.events` of one prefix.
pub(crate) struct Load {
    publisher: Publisher,
    account: AccountId,
}

/// An event that was written at a rate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) event: EventId,
    /// When it was handed to the Kafka client.
    pub(crate) at: Instant,
    /// When all in-sync replicas had it.
    pub(crate) acknowledged: Instant,
}

impl Load {
    /// `linger` is how long the client waits for more records to send at once.
    pub(crate) async fn open(prefix: &str, linger: Duration) -> anyhow::Result<Self> {
        let bootstrap = Broker::shared().await.bootstrap();
        let connection = Connection::new(bootstrap, "load", BTreeMap::default())?;
        let options = PublisherOptions {
            linger,
            ..PublisherOptions::default()
        };
        Ok(Self {
            publisher: Publisher::connect(&connection, &Topics::with_prefix(prefix), options)?,
            account: ACCOUNT.parse()?,
        })
    }

    /// Writes so many events as fast as Kafka takes them.
    pub(crate) async fn write_all(
        &self,
        count: usize,
        event: impl Fn(usize) -> EventData,
        bar: &ProgressBar,
    ) -> anyhow::Result<()> {
        for number in 0..count {
            let publication = self.publisher.start(self.new_event(event(number))).await?;
            // All are waited for at the end.
            drop(publication);
            bar.inc(1);
        }
        self.publisher.flush(FLUSH).await?;
        Ok(())
    }

    /// Writes `rate` events in each second of `duration`, whether earlier ones
    /// were acknowledged or not (open loop).
    pub(crate) async fn write_at(
        &self,
        rate: u32,
        duration: Duration,
        event: impl Fn(usize) -> EventData,
        bar: &ProgressBar,
    ) -> anyhow::Result<Vec<Written>> {
        let start = Instant::now();
        let count = usize::try_from(duration.as_secs())? * usize::try_from(rate)?;
        let mut under_way = JoinSet::new();
        for number in 0..count {
            let due = start + Duration::from_secs(number as u64) / rate;
            tokio::time::sleep_until(due.into()).await;
            let event = self.new_event(event(number));
            let (id, at) = (event.id, Instant::now());
            let publication = self.publisher.start(event).await?;
            under_way.spawn_local(async move {
                publication.await.map(|_| Written {
                    event: id,
                    at,
                    acknowledged: Instant::now(),
                })
            });
            bar.inc(1);
        }
        let mut written = Vec::with_capacity(count);
        while let Some(outcome) = under_way.join_next().await {
            written.push(outcome??);
        }
        Ok(written)
    }

    fn new_event(&self, data: EventData) -> NewEvent {
        NewEvent {
            account: self.account.clone(),
            id: EventId::generate(),
            submission: Submission {
                timestamp: None,
                data,
            },
            traceparent: None,
        }
    }
}

/// An event that was posted at a rate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Posted {
    pub(crate) event: EventId,
    /// When the POST was to be sent.
    pub(crate) due: Instant,
    /// When the client had the 202.
    pub(crate) accepted: Instant,
}

/// Posts `rate` times in each second of `duration`, whether earlier ones were
/// answered or not (open loop).
pub(crate) async fn post_at(
    client: &Client,
    rate: u32,
    duration: Duration,
    event: &Value,
) -> anyhow::Result<Vec<Posted>> {
    let start = Instant::now();
    let mut under_way = JoinSet::new();
    for number in 0..duration.as_secs() * u64::from(rate) {
        let due = start + Duration::from_secs(number) / rate;
        tokio::time::sleep_until(due.into()).await;
        let (client, event) = (client.clone(), event.clone());
        under_way.spawn(async move {
            let id = client.post_event(&event).await;
            let accepted = Instant::now();
            id.parse().map(|event| Posted {
                event,
                due,
                accepted,
            })
        });
    }
    let mut posted = Vec::with_capacity(under_way.len());
    while let Some(outcome) = under_way.join_next().await {
        posted.push(outcome??);
    }
    Ok(posted)
}

/// An event of [`BYTES`] bytes by one of many customers.
pub(crate) fn feedback(number: usize) -> EventData {
    feedback_of(number % CUSTOMERS)
}

/// The same by one customer: all of one partition.
pub(crate) fn feedback_of(customer: usize) -> EventData {
    EventData::NewFeedback(NewFeedback {
        customer_id: Text::new(&format!("cus_{customer:04}")),
        email: None,
        comment: text(&EIGHT.repeat((BYTES - WITHOUT_COMMENT) / EIGHT.len())),
        browser_locale: None,
        session_duration_seconds: None,
        session_page: text("/products/BW-440-RED"),
    })
}

/// Another event, which other endpoints get.
pub(crate) fn nps(number: usize) -> EventData {
    EventData::NpsCalculated(domain::NpsCalculated {
        customer_id: Text::new(&format!("cus_{:04}", number % CUSTOMERS)),
        email: None,
        segment: Segment::Promoter,
        response_id: text("nps_55120"),
        session_page: text("/account/orders"),
    })
}

fn text(text: &str) -> Text {
    Text::new(text).expect("it is not empty")
}
