//! Publishing against the mock cluster.

#![expect(
    clippy::unwrap_used,
    reason = "helpers fail like the test that calls them"
)]

use std::time::{Duration, Instant};

use kafka::{NotFlushed, PublishError, Publisher, PublisherOptions, Record};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    message::Headers,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};

mod mock;
use mock::DEADLINE;

fn publisher(connection: &kafka::Connection, options: PublisherOptions) -> Publisher {
    Publisher::open(connection, "publish", options).unwrap()
}

#[tokio::test]
async fn an_acknowledged_record_is_on_the_topic_with_key_value_and_headers() {
    let (_cluster, connection) = mock::cluster(&[("events", 1)]);
    let publisher = publisher(&connection, PublisherOptions::default());
    let record = Record::new("events", &b"key"[..], &b"value"[..])
        .header("account", "acme")
        .header("empty", "");
    let first = publisher.publish(record).await.unwrap();
    let second = publisher
        .publish(Record::tombstone("events", &b"key"[..]))
        .await
        .unwrap();
    assert_eq!((first.partition, first.offset), (0, 0));
    assert_eq!(second.offset, 1);

    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", connection.brokers())
        .set("group.id", "test")
        .create()
        .unwrap();
    let mut partition = TopicPartitionList::new();
    partition
        .add_partition_offset("events", 0, Offset::Beginning)
        .unwrap();
    consumer.assign(&partition).unwrap();
    let record = consumer.poll(DEADLINE).unwrap().unwrap();
    assert_eq!(record.key(), Some(&b"key"[..]));
    assert_eq!(record.payload(), Some(&b"value"[..]));
    let headers: Vec<_> = record
        .headers()
        .unwrap()
        .iter()
        .map(|h| (h.key, h.value))
        .collect();
    assert_eq!(
        headers,
        [("account", Some(&b"acme"[..])), ("empty", Some(&b""[..]))]
    );
    let tombstone = consumer.poll(DEADLINE).unwrap().unwrap();
    assert_eq!(tombstone.payload(), None);
}

#[tokio::test]
async fn many_records_are_in_flight_and_keep_their_order() {
    let (_cluster, connection) = mock::cluster(&[("events", 1)]);
    let publisher = publisher(&connection, PublisherOptions::default());
    let mut deliveries = Vec::new();
    for number in 0..1000_u32 {
        let record = Record::new("events", &b"key"[..], number.to_be_bytes().to_vec());
        deliveries.push(publisher.start(record).await.unwrap());
    }
    for (offset, delivery) in (0..).zip(deliveries) {
        assert_eq!(delivery.await.unwrap().offset, offset);
    }
}

#[tokio::test]
async fn without_room_try_publish_refuses_and_publish_waits() {
    let (cluster, connection) = mock::cluster(&[("events", 1)]);
    cluster.broker_down(1).unwrap();
    let options = PublisherOptions {
        capacity: 1024 * 1024,
        ..PublisherOptions::default()
    };
    let publisher = publisher(&connection, options);
    let value = vec![0_u8; 600 * 1024];
    let first = publisher
        .try_publish(Record::new("events", &b""[..], &value))
        .unwrap();
    let full = publisher
        .try_publish(Record::new("events", &b""[..], &value))
        .unwrap_err();
    assert_eq!(full, PublishError::Full);
    assert!(!full.may_be_written());

    let waiting = publisher.publish(Record::new("events", &b""[..], &value));
    tokio::pin!(waiting);
    tokio::select! {
        biased;
        outcome = &mut waiting => panic!("there is no room, but {outcome:?}"),
        () = std::future::ready(()) => {}
    }
    cluster.broker_up(1).unwrap();
    tokio::time::timeout(DEADLINE, first)
        .await
        .unwrap()
        .unwrap();
    tokio::time::timeout(DEADLINE, waiting)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn without_a_broker_the_outcome_is_unknown_after_the_time_out() {
    let (cluster, connection) = mock::cluster(&[("events", 1)]);
    cluster.broker_down(1).unwrap();
    let options = PublisherOptions {
        message_timeout: Duration::from_millis(300),
        ..PublisherOptions::default()
    };
    let publisher = publisher(&connection, options);
    let outcome = publisher.publish(Record::new("events", &b"k"[..], &b"v"[..]));
    let error = tokio::time::timeout(DEADLINE, outcome)
        .await
        .unwrap()
        .unwrap_err();
    assert!(error.may_be_written(), "{error}");
}

#[tokio::test]
async fn a_record_that_is_too_large_is_refused_and_the_next_one_is_not() {
    let (_cluster, connection) = mock::cluster(&[("events", 1)]);
    let publisher = publisher(&connection, PublisherOptions::default());
    let value = vec![0_u8; 4 * 1024 * 1024];
    let error = publisher
        .publish(Record::new("events", &b"k"[..], &value))
        .await
        .unwrap_err();
    assert!(matches!(error, PublishError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("events"), "{error}");
    let next = Record::new("events", &b"k"[..], &b"v"[..]);
    publisher.publish(next).await.unwrap();
}

#[tokio::test]
async fn flushing_waits_for_what_was_started_and_no_longer_than_its_limit() {
    let (cluster, connection) = mock::cluster(&[("events", 1)]);
    let publisher = publisher(&connection, PublisherOptions::default());
    let start = || publisher.start(Record::new("events", &b"k"[..], &b"v"[..]));
    let mut deliveries = Vec::new();
    for _ in 0..100 {
        deliveries.push(start().await.unwrap());
    }
    publisher.flush(DEADLINE).await.unwrap();
    for delivery in deliveries {
        // Its outcome is there at once.
        tokio::time::timeout(Duration::ZERO, delivery)
            .await
            .unwrap()
            .unwrap();
    }

    cluster.broker_down(1).unwrap();
    let waiting = start().await.unwrap();
    let error = publisher
        .flush(Duration::from_millis(50))
        .await
        .unwrap_err();
    assert_eq!(error, NotFlushed { records: 1 });
    drop(waiting);
}

#[tokio::test]
async fn dropping_a_publisher_ends_what_is_in_flight_soon() {
    let (cluster, connection) = mock::cluster(&[("events", 1)]);
    cluster.broker_down(1).unwrap();
    let publisher = publisher(&connection, PublisherOptions::default());
    let record = Record::new("events", &b"k"[..], &b"v"[..]);
    let delivery = publisher.try_publish(record).unwrap();
    let start = Instant::now();
    drop(publisher);
    assert!(start.elapsed() < DEADLINE, "{:?}", start.elapsed());
    assert!(delivery.await.unwrap_err().may_be_written());
}

#[test]
fn what_is_handed_out_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Publisher>();
    shared::<kafka::Delivery>();
    shared::<kafka::Table>();
    shared::<kafka::Mover>();
    shared::<kafka::Connection>();
}

#[tokio::test]
async fn a_client_that_can_never_write_again_says_so() {
    let (cluster, connection) = mock::cluster(&[("events", 1)]);
    let refuse = RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    cluster.request_errors(RDKafkaApiKey::InitProducerId, &[refuse; 10]);
    let publisher = publisher(&connection, PublisherOptions::default());
    let why = tokio::time::timeout(DEADLINE, publisher.failed()).await;
    let why = why.unwrap();
    assert!(why.contains("authorization"), "{why}");
}
