//! Tables against the mock cluster, which keeps order and tombstones; it does
//! not compact, and control records need a real broker.

#![expect(
    clippy::unwrap_used,
    reason = "helpers fail like the test that calls them"
)]

use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex},
};

use kafka::{Connection, Publisher, PublisherOptions, Record, Start, Table, TableEvent};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

mod mock;
use mock::DEADLINE;

/// What a callback was given, in a form that can be compared.
type Seen = Arc<Mutex<Vec<String>>>;

fn follow(connection: &Connection, start: Start, stop: &CancellationToken) -> (Table, Seen) {
    let seen = Seen::default();
    let table = Table::follow(connection, "table", "table", start, note(&seen), stop).unwrap();
    (table, seen)
}

fn note(seen: &Seen) -> impl FnMut(TableEvent<'_>) -> ControlFlow<()> + Send + 'static {
    let seen = Arc::clone(seen);
    move |event| {
        let mut seen = seen.lock().unwrap();
        match event {
            TableEvent::Reset => seen.push("reset".to_owned()),
            TableEvent::Records(records) => {
                assert!(!records.is_empty());
                seen.extend(records.iter().map(|record| {
                    let key = String::from_utf8_lossy(record.key()).into_owned();
                    match record.value() {
                        Some(value) => format!("{key}={}", String::from_utf8_lossy(value)),
                        None => format!("{key} gone"),
                    }
                }));
            }
        }
        ControlFlow::Continue(())
    }
}

fn publisher(connection: &Connection) -> Publisher {
    Publisher::open(connection, "publish", PublisherOptions::default()).unwrap()
}

async fn put(publisher: &Publisher, key: &'static str, value: &'static str) -> i64 {
    let record = Record::new("table", key.as_bytes(), value.as_bytes());
    publisher.publish(record).await.unwrap().offset
}

#[tokio::test]
async fn an_empty_table_is_caught_up() {
    let (_cluster, connection) = mock::cluster(&[("table", 1)]);
    let (table, seen) = follow(&connection, Start::Beginning, &CancellationToken::new());
    timeout(DEADLINE, table.caught_up()).await.unwrap().unwrap();
    assert!(seen.lock().unwrap().is_empty());
    assert_eq!(table.next_offset(), 0);
}

#[tokio::test]
async fn records_and_tombstones_arrive_in_order_before_it_is_caught_up() {
    let (_cluster, connection) = mock::cluster(&[("table", 1)]);
    let publisher = publisher(&connection);
    put(&publisher, "a", "1").await;
    put(&publisher, "b", "2").await;
    let tombstone = Record::tombstone("table", &b"a"[..]);
    publisher.publish(tombstone).await.unwrap();
    let (table, seen) = follow(&connection, Start::Beginning, &CancellationToken::new());
    timeout(DEADLINE, table.caught_up()).await.unwrap().unwrap();
    assert_eq!(*seen.lock().unwrap(), ["a=1", "b=2", "a gone"]);
    assert_eq!(table.next_offset(), 3);
}

#[tokio::test]
async fn whoever_waits_for_an_offset_reads_the_own_write() {
    let (_cluster, connection) = mock::cluster(&[("table", 1)]);
    let publisher = publisher(&connection);
    let (table, seen) = follow(&connection, Start::Beginning, &CancellationToken::new());
    for _ in 0..20 {
        let offset = put(&publisher, "a", "x").await;
        timeout(DEADLINE, table.wait_for(offset))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            seen.lock().unwrap().len(),
            usize::try_from(offset).unwrap() + 1
        );
    }
}

#[tokio::test]
async fn reading_to_the_end_sees_what_others_wrote_just_before() {
    let (_cluster, connection) = mock::cluster(&[("table", 1)]);
    let publisher = publisher(&connection);
    let (table, seen) = follow(&connection, Start::Beginning, &CancellationToken::new());
    timeout(DEADLINE, table.caught_up()).await.unwrap().unwrap();
    for count in 1..=5 {
        put(&publisher, "a", "x").await;
        timeout(DEADLINE, table.read_to_end())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            seen.lock().unwrap().len(),
            count,
            "each record arrives once"
        );
    }
    // And when nothing is new.
    timeout(DEADLINE, table.read_to_end())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(seen.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn the_end_of_now_is_reached_when_what_others_wrote_just_before_was_seen() {
    let (_cluster, connection) = mock::cluster(&[("table", 1)]);
    let publisher = publisher(&connection);
    let (table, seen) = follow(&connection, Start::Beginning, &CancellationToken::new());
    let end = table.end(&connection, "end").unwrap();
    for count in 1..=5 {
        put(&publisher, "a", "x").await;
        timeout(DEADLINE, end.reached()).await.unwrap().unwrap();
        assert_eq!(seen.lock().unwrap().len(), count);
    }
    // And when nothing is new.
    timeout(DEADLINE, end.reached()).await.unwrap().unwrap();
    drop(table);
    put(&publisher, "a", "x").await;
    timeout(DEADLINE, end.reached()).await.unwrap().unwrap_err();
}

#[tokio::test]
async fn a_stored_offset_is_where_the_reading_goes_on() {
    let (_cluster, connection) = mock::cluster(&[("table", 1)]);
    let publisher = publisher(&connection);
    for value in ["0", "1", "2"] {
        put(&publisher, "a", value).await;
    }
    let (table, seen) = follow(&connection, Start::At(2), &CancellationToken::new());
    timeout(DEADLINE, table.caught_up()).await.unwrap().unwrap();
    assert_eq!(*seen.lock().unwrap(), ["a=2"]);
}

#[tokio::test]
async fn an_offset_that_the_topic_does_not_have_resets_the_table() {
    let (_cluster, connection) = mock::cluster(&[("table", 1)]);
    let publisher = publisher(&connection);
    put(&publisher, "a", "0").await;
    let (table, seen) = follow(&connection, Start::At(77), &CancellationToken::new());
    timeout(DEADLINE, table.caught_up()).await.unwrap().unwrap();
    assert_eq!(*seen.lock().unwrap(), ["reset", "a=0"]);
    assert_eq!(table.next_offset(), 1);
}

#[tokio::test]
async fn a_callback_that_breaks_off_ends_the_table_and_its_records_count_as_unread() {
    let (_cluster, connection) = mock::cluster(&[("table", 1)]);
    let offset = put(&publisher(&connection), "a", "0").await;
    let stop = CancellationToken::new();
    let on_event = |_: TableEvent<'_>| ControlFlow::Break(());
    let table = Table::follow(
        &connection,
        "table",
        "table",
        Start::Beginning,
        on_event,
        &stop,
    )
    .unwrap();
    timeout(DEADLINE, table.ended()).await.unwrap();
    assert_eq!(table.next_offset(), 0);
    timeout(DEADLINE, table.wait_for(offset))
        .await
        .unwrap()
        .unwrap_err();
    table.read_to_end().await.unwrap_err();
}

#[tokio::test]
async fn a_table_waits_for_a_broker_that_comes_later() {
    let (cluster, connection) = mock::cluster(&[("table", 1)]);
    cluster.broker_down(1).unwrap();
    let (table, _seen) = follow(&connection, Start::Beginning, &CancellationToken::new());
    cluster.broker_up(1).unwrap();
    timeout(DEADLINE, table.caught_up()).await.unwrap().unwrap();
}

#[tokio::test]
async fn shutdown_ends_the_reading() {
    let (_cluster, connection) = mock::cluster(&[("table", 1)]);
    let shutdown = CancellationToken::new();
    let (table, _seen) = follow(&connection, Start::Beginning, &shutdown);
    timeout(DEADLINE, table.caught_up()).await.unwrap().unwrap();
    shutdown.cancel();
    table.stop(DEADLINE).await.unwrap();
}
