//! A feed against the mock cluster.

#![expect(
    clippy::unwrap_used,
    reason = "helpers fail like the test that calls them"
)]

use std::time::Duration;

use kafka::{Feed, NotFlushed, PublisherOptions, Record};
use rdkafka::consumer::{BaseConsumer, Consumer};

mod mock;
use mock::DEADLINE;

fn record() -> Record<'static> {
    Record::new("events", &b"k"[..], &b"v"[..])
}

#[tokio::test]
async fn what_is_offered_is_on_the_topic_after_a_flush() {
    let (_cluster, connection) = mock::cluster(&[("events", 1)]);
    let feed = Feed::open(&connection, "feed", PublisherOptions::default()).unwrap();
    for _ in 0..100 {
        assert!(feed.offer(record()));
    }
    feed.flush(DEADLINE).await.unwrap();
    let consumer: BaseConsumer = connection.consumer_config("test", &[]).create().unwrap();
    let (_, end) = consumer.fetch_watermarks("events", 0, DEADLINE).unwrap();
    assert_eq!((end, feed.lost()), (100, 0));
}

#[tokio::test]
async fn what_does_not_fit_is_dropped_and_counted_and_so_is_what_times_out() {
    let (cluster, connection) = mock::cluster(&[("events", 1)]);
    cluster.broker_down(1).unwrap();
    let options = PublisherOptions {
        capacity: 1024 * 1024,
        message_timeout: Duration::from_secs(3),
        ..PublisherOptions::default()
    };
    let feed = Feed::open(&connection, "feed", options).unwrap();
    let value = vec![0_u8; 600 * 1024];
    let large = || Record::new("events", &b""[..], &value);
    assert!(feed.offer(large()));
    // The client takes one above its limit.
    let taken = (0..3).filter(|_| feed.offer(large())).count();
    assert!(taken < 3, "nothing bounds it");
    let error = feed.flush(Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, NotFlushed { records: 1.. }), "{error:?}");
    feed.flush(DEADLINE).await.unwrap();
    assert_eq!(feed.lost(), 4);
}
