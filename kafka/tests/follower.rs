//! Followed logs against the mock cluster.

#![expect(
    clippy::unwrap_used,
    reason = "helpers fail like the test that calls them"
)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use kafka::{Connection, Follower, Publisher, PublisherOptions, Record};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

mod mock;
use mock::DEADLINE;

/// What was passed on, by partition and in order.
type Seen = Arc<Mutex<BTreeMap<i32, Vec<String>>>>;

fn follow(connection: &Connection, newest: u32, stop: &CancellationToken) -> (Follower, Seen) {
    let seen = Seen::default();
    let note = Arc::clone(&seen);
    let on_record = move |place: kafka::Stored, value: &[u8]| {
        let text = String::from_utf8_lossy(value).into_owned();
        let mut seen = note.lock().unwrap();
        seen.entry(place.partition).or_default().push(text);
    };
    let follower = Follower::start(connection, "follow", "log", newest, on_record, stop).unwrap();
    (follower, seen)
}

/// Writes `count` records, and answers with where each came to stand.
async fn write(connection: &Connection, count: usize) -> BTreeMap<i32, Vec<String>> {
    let publisher = Publisher::open(connection, "publish", PublisherOptions::default()).unwrap();
    let mut written = BTreeMap::<i32, Vec<String>>::new();
    for number in 0..count {
        let text = format!("record {number}");
        let key = format!("key {number}");
        let record = Record::new("log", key.as_bytes(), text.as_bytes());
        let stored = publisher.publish(record).await.unwrap();
        written.entry(stored.partition).or_default().push(text);
    }
    written
}

#[tokio::test]
async fn an_empty_log_is_caught_up_soon() {
    let (_cluster, connection) = mock::cluster(&[("log", 6)]);
    let (follower, seen) = follow(&connection, 10, &CancellationToken::new());
    timeout(DEADLINE, follower.caught_up())
        .await
        .unwrap()
        .unwrap();
    assert!(follower.is_caught_up());
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_records_of_all_partitions_come_before_it_is_caught_up_and_new_ones_after() {
    let (_cluster, connection) = mock::cluster(&[("log", 6)]);
    let mut written = write(&connection, 60).await;
    assert_eq!(written.len(), 6, "the keys reach every partition");
    let (follower, seen) = follow(&connection, 1_000, &CancellationToken::new());
    timeout(DEADLINE, follower.caught_up())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(*seen.lock().unwrap(), written);
    for (partition, texts) in write(&connection, 12).await {
        written.entry(partition).or_default().extend(texts);
    }
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let all = async {
        while *seen.lock().unwrap() != written {
            ticks.tick().await;
        }
    };
    timeout(DEADLINE, all).await.unwrap();
}

#[tokio::test]
async fn of_each_partition_only_the_newest_come() {
    let (_cluster, connection) = mock::cluster(&[("log", 6)]);
    let mut written = write(&connection, 60).await;
    for texts in written.values_mut() {
        let skipped = texts.len().saturating_sub(3);
        texts.drain(..skipped);
    }
    let (follower, seen) = follow(&connection, 3, &CancellationToken::new());
    timeout(DEADLINE, follower.caught_up())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(*seen.lock().unwrap(), written);
}

#[tokio::test]
async fn without_a_cluster_it_waits_and_ends_at_once_when_told_to() {
    let (cluster, connection) = mock::cluster(&[("log", 6)]);
    cluster.broker_down(1).unwrap();
    let stop = CancellationToken::new();
    let (follower, _seen) = follow(&connection, 10, &stop);
    assert!(!follower.is_caught_up());
    cluster.broker_up(1).unwrap();
    timeout(DEADLINE, follower.caught_up())
        .await
        .unwrap()
        .unwrap();
    stop.cancel();
    timeout(DEADLINE, follower.ended()).await.unwrap();
}
