//! Topics as the tests see them: made, written, read, counted, removed.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Message, Offset, TopicPartitionList};
use serde_json::Value;

use super::{Broker, blocking, client_config};

/// A healthy broker answers in milliseconds, a loaded one in a second or two.
const DEADLINE: Duration = Duration::from_secs(30);

/// A record to write. Start from `..NewRecord::default()`.
#[derive(Debug, Clone, Default)]
pub struct NewRecord {
    /// `None` leaves the choice of a partition to the client.
    pub key: Option<Vec<u8>>,
    /// `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// In this order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// A certain partition, whatever the key.
    pub partition: Option<i32>,
}

/// A record as it was read.
#[derive(Debug, Clone)]
pub struct Record {
    pub partition: i32,
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    /// `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Vec<u8>)>,
    /// Milliseconds since 1970.
    pub timestamp: i64,
}

impl Record {
    /// The key as text; "" where there is none.
    #[must_use]
    pub fn key_text(&self) -> String {
        String::from_utf8_lossy(self.key.as_deref().unwrap_or_default()).into_owned()
    }

    /// A header's value as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(header, _)| header == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// The value as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        let value = self.value.as_deref().unwrap_or_default();
        serde_json::from_slice(value).expect("the record's value is JSON")
    }
}

impl Broker {
    /// What it is asked for comes only while it is kept, and its futures do not
    /// borrow it: without it they wait for ever.
    fn admin(&self) -> AdminClient<DefaultClientContext> {
        client_config(&self.bootstrap)
            .create()
            .expect("an admin client can be made")
    }

    /// Makes a topic, with Kafka's default settings.
    ///
    /// # Panics
    /// When it cannot be made, for example because it is there.
    pub async fn create_topic(&self, name: &str, partitions: i32) {
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let options = AdminOptions::new().operation_timeout(Some(DEADLINE));
        let answers = self.admin().create_topics([&topic], &options).await;
        for answer in answers.expect("Kafka answers") {
            answer.expect("the topic is made");
        }
        crate::until(
            &format!("the metadata names {name}"),
            DEADLINE,
            async || {
                self.topics(name)
                    .await
                    .iter()
                    .any(|topic| topic == name)
                    .then_some(())
            },
        )
        .await;
    }

    /// Enlarges a topic to so many partitions.
    ///
    /// # Panics
    /// When it cannot be.
    pub async fn enlarge_topic(&self, name: &str, partitions: usize) {
        let wanted = NewPartitions::new(name, partitions);
        let options = AdminOptions::new().operation_timeout(Some(DEADLINE));
        let answers = self.admin().create_partitions([&wanted], &options).await;
        for answer in answers.expect("Kafka answers") {
            answer.expect("the topic is enlarged");
        }
    }

    /// The names of all topics that begin with `prefix`.
    pub async fn topics(&self, prefix: &str) -> Vec<String> {
        let (bootstrap, prefix) = (self.bootstrap.clone(), prefix.to_owned());
        blocking(move || topics(&bootstrap, &prefix)).await
    }

    /// Writes a record and waits for the acknowledgement of all replicas.
    ///
    /// # Panics
    /// When it is not acknowledged.
    pub async fn write(&self, topic: &str, record: NewRecord) {
        let producer: FutureProducer = client_config(&self.bootstrap)
            .set("acks", "all")
            .set("message.max.bytes", "2000000")
            .create()
            .expect("a producer can be made");
        let mut headers = OwnedHeaders::new();
        for (key, value) in &record.headers {
            headers = headers.insert(Header {
                key,
                value: Some(value),
            });
        }
        let mut message = FutureRecord::<Vec<u8>, Vec<u8>>::to(topic).headers(headers);
        message.key = record.key.as_ref();
        message.payload = record.value.as_ref();
        message.partition = record.partition;
        let written = producer.send(message, DEADLINE).await;
        written
            .map_err(|(error, _)| error)
            .expect("the record is acknowledged");
    }

    /// Removes the records of a partition before an offset, as retention does.
    ///
    /// # Panics
    /// When they cannot be removed.
    pub async fn delete_records(&self, topic: &str, partition: i32, before: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(before))
            .expect("it is an offset");
        let admin = self.admin();
        let deleted = admin.delete_records(&list, &AdminOptions::new()).await;
        drop(deleted.expect("Kafka answers"));
    }

    /// Removes a topic and all that it holds.
    ///
    /// # Panics
    /// When it cannot be removed.
    pub async fn delete_topic(&self, name: &str) {
        let admin = self.admin();
        let deleted = admin.delete_topics(&[name], &AdminOptions::new()).await;
        for deleted in deleted.expect("Kafka answers") {
            deleted.expect("the topic can be removed");
        }
    }

    /// All committed records that the topic holds now, in the order of
    /// partition and offset. An absent topic has none.
    pub async fn read(&self, topic: &str) -> Vec<Record> {
        let (bootstrap, topic) = (self.bootstrap.clone(), topic.to_owned());
        blocking(move || read(&bootstrap, &topic)).await
    }

    /// How many records of a topic a group has not committed yet, by its
    /// committed offsets.
    pub async fn lag(&self, group: &str, topic: &str) -> i64 {
        let (bootstrap, group, topic) =
            (self.bootstrap.clone(), group.to_owned(), topic.to_owned());
        blocking(move || lag(&bootstrap, &group, &topic)).await
    }

    /// Waits until a group has committed all records that a topic holds.
    ///
    /// # Panics
    ///
    /// If that takes longer than `within`.
    pub async fn wait_until_committed(&self, group: &str, topic: &str, within: Duration) {
        crate::until(&format!("{topic} is committed"), within, async || {
            (self.lag(group, topic).await == 0).then_some(())
        })
        .await;
    }
}

fn consumer(bootstrap: &str, group: &str) -> BaseConsumer {
    client_config(bootstrap)
        .set("group.id", group)
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "20")
        .create()
        .expect("a consumer can be made")
}

fn topics(bootstrap: &str, prefix: &str) -> Vec<String> {
    let metadata = consumer(bootstrap, "e2e").fetch_metadata(None, DEADLINE);
    let metadata = metadata.expect("Kafka answers");
    let names = metadata
        .topics()
        .iter()
        .map(|topic| topic.name().to_owned());
    names.filter(|name| name.starts_with(prefix)).collect()
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> Vec<i32> {
    // All topics: asking for one by name may create it.
    let metadata = consumer
        .fetch_metadata(None, DEADLINE)
        .expect("Kafka answers");
    let topic = metadata.topics().iter().find(|found| found.name() == topic);
    topic
        .map(|topic| topic.partitions().iter().map(|it| it.id()).collect())
        .unwrap_or_default()
}

fn read(bootstrap: &str, topic: &str) -> Vec<Record> {
    let consumer = consumer(bootstrap, "e2e");
    let mut open = partitions(&consumer, topic);
    let mut list = TopicPartitionList::new();
    for partition in &open {
        list.add_partition_offset(topic, *partition, Offset::Beginning)
            .expect("the beginning is an offset");
    }
    consumer.assign(&list).expect("partitions can be assigned");
    let mut records = Vec::new();
    while !open.is_empty() {
        let polled = consumer
            .poll(DEADLINE)
            .expect("a record or the end of a partition");
        match polled {
            Ok(message) => records.push(Record {
                partition: message.partition(),
                offset: message.offset(),
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
                headers: headers_of(&message),
                timestamp: message.timestamp().to_millis().unwrap_or_default(),
            }),
            Err(rdkafka::error::KafkaError::PartitionEOF(partition)) => {
                open.retain(|other| *other != partition);
            }
            Err(error) => panic!("cannot read {topic}: {error}"),
        }
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}

fn headers_of(
    message: &impl Message<Headers = rdkafka::message::BorrowedHeaders>,
) -> Vec<(String, Vec<u8>)> {
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    headers
        .map(|header| {
            (
                header.key.to_owned(),
                header.value.unwrap_or_default().to_vec(),
            )
        })
        .collect()
}

fn lag(bootstrap: &str, group: &str, topic: &str) -> i64 {
    let consumer = consumer(bootstrap, group);
    let mut list = TopicPartitionList::new();
    for partition in partitions(&consumer, topic) {
        list.add_partition(topic, partition);
    }
    let committed = consumer
        .committed_offsets(list, DEADLINE)
        .expect("Kafka answers");
    let mut lag = 0;
    for element in committed.elements() {
        let (low, high) = consumer
            .fetch_watermarks(topic, element.partition(), DEADLINE)
            .expect("Kafka answers");
        lag += high
            - element
                .offset()
                .to_raw()
                .map_or(low, |offset| offset.max(low));
    }
    lag
}

/// Removes all topics that begin with `prefix`. What cannot be removed now
/// stays: tests do not fail for it.
pub(crate) fn delete_topics(bootstrap: &str, prefix: &str) {
    let names = topics(bootstrap, prefix);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let admin: AdminClient<DefaultClientContext> = client_config(bootstrap)
        .create()
        .expect("an admin client can be made");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let deleted = runtime
        .expect("a runtime can be made")
        .block_on(admin.delete_topics(&names, &AdminOptions::new()));
    drop(deleted);
}
