//! Logs against the mock cluster: several partitions, from where an index ends.
//! What is deleted under a reader needs a real broker.

#![expect(
    clippy::unwrap_used,
    reason = "helpers fail like the test that calls them"
)]

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::{Arc, Mutex},
    time::Duration,
};

use kafka::{Connection, Log, LogEvent, Publisher, PublisherOptions, Record};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

mod mock;
use mock::DEADLINE;

/// What a callback was given.
#[derive(Debug, Default)]
struct Seen {
    /// By partition.
    values: BTreeMap<i32, Vec<String>>,
    next: BTreeMap<i32, i64>,
    current: usize,
    resets: usize,
}

type Shared = Arc<Mutex<Seen>>;

fn follow(connection: &Connection, from: &[(i32, i64)]) -> (Log, Shared) {
    let seen = Shared::default();
    let note = Arc::clone(&seen);
    let on_event = move |event: LogEvent<'_>| {
        let mut seen = note.lock().unwrap();
        match event {
            LogEvent::Records(records, next) => {
                for record in records {
                    let value = String::from_utf8_lossy(record.value()).into_owned();
                    seen.values
                        .entry(record.partition())
                        .or_default()
                        .push(value);
                }
                seen.next.extend(next);
            }
            LogEvent::Idle => {}
            LogEvent::Current(_) => seen.current += 1,
            LogEvent::Reset => {
                *seen = Seen {
                    resets: seen.resets + 1,
                    ..Seen::default()
                };
            }
        }
        ControlFlow::Continue(())
    };
    let from = from.iter().copied().collect();
    let stop = CancellationToken::new();
    let log = Log::follow(connection, "log", "log", from, on_event, &stop).unwrap();
    (log, seen)
}

async fn write(connection: &Connection, values: std::ops::Range<u32>) {
    let publisher = Publisher::open(connection, "publish", PublisherOptions::default()).unwrap();
    for value in values {
        let record = Record::new(
            "log",
            value.to_string().into_bytes(),
            value.to_string().into_bytes(),
        );
        publisher.publish(record).await.unwrap();
    }
}

async fn caught_up(log: &Log) {
    timeout(DEADLINE, log.caught_up()).await.unwrap().unwrap();
}

fn all(seen: &Shared) -> Vec<u32> {
    let seen = seen.lock().unwrap();
    let mut all: Vec<u32> = seen
        .values
        .values()
        .flatten()
        .map(|value| value.parse().unwrap())
        .collect();
    all.sort_unstable();
    all
}

#[tokio::test]
async fn an_empty_log_is_caught_up() {
    let (_cluster, connection) = mock::cluster(&[("log", 3)]);
    let (log, seen) = follow(&connection, &[]);
    caught_up(&log).await;
    assert_eq!(seen.lock().unwrap().current, 1);
    assert_eq!(log.progress().left, 0);
}

#[tokio::test]
async fn every_partition_is_read_in_its_order_before_the_log_is_caught_up() {
    let (_cluster, connection) = mock::cluster(&[("log", 3)]);
    write(&connection, 0..60).await;
    let (log, seen) = follow(&connection, &[]);
    caught_up(&log).await;
    assert_eq!(all(&seen), (0..60).collect::<Vec<_>>());
    assert_eq!(log.progress().read, 60);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.values.len(), 3);
    for (partition, values) in &seen.values {
        let numbers: Vec<u32> = values.iter().map(|value| value.parse().unwrap()).collect();
        assert!(numbers.is_sorted(), "{partition}: {numbers:?}");
        assert_eq!(seen.next[partition], i64::try_from(values.len()).unwrap());
    }
}

#[tokio::test]
async fn a_log_goes_on_where_an_index_ends() {
    let (_cluster, connection) = mock::cluster(&[("log", 3)]);
    write(&connection, 0..60).await;
    let (log, seen) = follow(&connection, &[]);
    caught_up(&log).await;
    let ends: Vec<(i32, i64)> = seen.lock().unwrap().next.clone().into_iter().collect();
    log.stop(DEADLINE).await.unwrap();
    write(&connection, 60..90).await;

    // One partition is not known yet: it is read from its first record.
    let unknown = seen.lock().unwrap().values[&ends[2].0].clone();
    let (log, seen) = follow(&connection, &ends[..2]);
    caught_up(&log).await;
    let again = unknown.iter().map(|value| value.parse().unwrap());
    let mut expected: Vec<u32> = again.chain(60..90).collect();
    expected.sort_unstable();
    assert_eq!(all(&seen), expected);

    write(&connection, 90..91).await;
    let wait = async {
        while all(&seen).last() != Some(&90) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, wait).await.unwrap();
}

#[tokio::test]
async fn a_log_that_does_not_reach_so_far_is_read_anew() {
    let (_cluster, connection) = mock::cluster(&[("log", 3)]);
    write(&connection, 0..9).await;
    let (log, seen) = follow(&connection, &[(0, 1), (1, 1_000), (2, 0)]);
    caught_up(&log).await;
    assert_eq!(seen.lock().unwrap().resets, 1);
    assert_eq!(all(&seen), (0..9).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_callback_that_breaks_off_ends_the_log() {
    let (_cluster, connection) = mock::cluster(&[("log", 3)]);
    write(&connection, 0..1).await;
    let stop = CancellationToken::new();
    let on_event = |event: LogEvent<'_>| match event {
        LogEvent::Records(..) => ControlFlow::Break(()),
        LogEvent::Idle | LogEvent::Current(_) | LogEvent::Reset => ControlFlow::Continue(()),
    };
    let log = Log::follow(&connection, "log", "log", BTreeMap::new(), on_event, &stop).unwrap();
    timeout(DEADLINE, log.ended()).await.unwrap();
    log.caught_up().await.unwrap_err();
    assert_eq!(log.progress().read, 0);
}

#[tokio::test]
async fn a_log_waits_for_a_broker_and_stops_without_one() {
    let (cluster, connection) = mock::cluster(&[("log", 3)]);
    cluster.broker_down(1).unwrap();
    let (waiting, _) = follow(&connection, &[]);
    let (log, _) = follow(&connection, &[]);
    timeout(DEADLINE, waiting.stop(DEADLINE))
        .await
        .unwrap()
        .unwrap();
    cluster.broker_up(1).unwrap();
    caught_up(&log).await;
}
