//! The index is followed, gone on with, and made anew.

use std::path::Path;

use console::Metrics;
use console::attempts::{DeliveryState, Filter, Keeper, Scope};
use console::settings::IndexSettings;
use e2e::{Binary, Broker, Service, Settings, Signal, until};
use prometheus::Registry;
use rdkafka::admin::AdminOptions;
use rdkafka::{Offset, TopicPartitionList};

use crate::bed::{Bed, DEADLINE};

#[tokio::test]
async fn the_index_follows_its_topic_and_tells_of_changes() {
    let bed = Bed::new().await;
    bed.write(500).await;
    let kept = bed.keep();
    kept.holds(500).await;

    let mut changes = kept
        .attempts
        .changes(Scope::Account("shop".parse().unwrap()));
    bed.publish(b"this is no attempt record").await;
    bed.write(10).await;
    tokio::time::timeout(DEADLINE, changes.next())
        .await
        .unwrap();
    kept.holds(510).await;
    assert_eq!(kept.metric("attempts_unreadable_total"), 1);
    let page = kept
        .attempts
        .deliveries(Scope::All, Filter::default(), None, 50)
        .await
        .unwrap();
    assert_eq!(page.deliveries.len(), 50);
    kept.stop().await;
}

#[tokio::test]
async fn after_a_stop_only_what_is_new_is_read() {
    let bed = Bed::new().await;
    bed.write(500).await;
    let kept = bed.keep();
    kept.holds(500).await;
    kept.stop().await;
    bed.write(30).await;
    let kept = bed.keep();
    kept.holds(530).await;
    assert_eq!(kept.metric("attempts_indexed_total"), 30);
    assert_eq!(kept.metric("attempts_index_rebuilds_total"), 0);
    kept.stop().await;
}

#[tokio::test]
async fn a_console_that_is_killed_while_it_reads_counts_nothing_twice_and_leaves_nothing_out() {
    let bed = Bed::new().await;
    bed.write(60_000).await;
    let brokers = bed.connection.brokers().to_owned();
    let settings = Settings::new(Binary::Console, &brokers, &bed.topics.prefix);
    let mut console = Service::spawn(Binary::Console, settings);
    console.wait_ready().await;
    let read = until("some records were read", DEADLINE, async || {
        let read = console
            .metric("feedbackpro_console_attempts_indexed_total")
            .await;
        read.filter(|read| *read > 0.0)
    })
    .await;
    console.signal(Signal::Kill);
    assert!(read < 60_000.0, "all was read before the kill: {read}");
    console.wait_exit(DEADLINE).await;

    bed.write(5).await;
    let kept = bed.keep_at(&console.file("data/attempts.sqlite"));
    kept.holds(60_005).await;
    assert_eq!(kept.metric("attempts_index_rebuilds_total"), 0);
    kept.stop().await;
}

#[tokio::test]
async fn an_index_that_is_missing_broken_or_of_another_version_is_made_anew() {
    let bed = Bed::new().await;
    bed.write(300).await;
    let kept = bed.keep();
    kept.holds(300).await;
    kept.stop().await;
    let path = bed.path();
    let sql = |sql: &str| {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch(sql).unwrap();
    };
    let damages: [&dyn Fn(); 5] = [
        &|| std::fs::remove_file(&path).unwrap(),
        &|| std::fs::write(&path, "this was an index").unwrap(),
        &|| sql("PRAGMA user_version = 999;"),
        &|| sql("UPDATE origin SET cluster = 'another';"),
        &|| sql("UPDATE origin SET current_at = current_at - 8 * 24 * 3600 * 1000;"),
    ];
    for damage in damages {
        damage();
        let kept = bed.keep();
        kept.holds(300).await;
        assert_eq!(kept.metric("attempts_index_rebuilds_total"), 1);
        kept.stop().await;
    }
}

#[tokio::test]
async fn an_index_found_broken_while_it_is_asked_is_made_anew_by_the_running_process() {
    let bed = Bed::new().await;
    bed.write(300).await;
    let kept = bed.keep();
    kept.holds(300).await;
    kept.stop().await;
    overwrite(&bed.path(), "deliveries_by_class");

    let kept = bed.keep();
    let failed = Filter {
        state: Some(DeliveryState::Failed),
        ..Filter::default()
    };
    until("the broken part was made anew", DEADLINE, async || {
        let asked = kept.attempts.deliveries(Scope::All, failed, None, 10).await;
        let anew = kept.metric("attempts_index_rebuilds_total") == 1;
        (anew && asked.is_ok()).then_some(())
    })
    .await;
    kept.holds(300).await;
    kept.stop().await;
}

/// Overwrites the first page of an index or table.
fn overwrite(path: &Path, name: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let number = |sql: &str| {
        let number = connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        usize::try_from(number.unwrap()).unwrap()
    };
    let page = number(&format!(
        "SELECT rootpage FROM sqlite_schema WHERE name = '{name}'"
    ));
    let size = number("PRAGMA page_size");
    drop(connection);
    let mut bytes = std::fs::read(path).unwrap();
    bytes[(page - 1) * size..page * size].fill(0xff);
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_topic_that_was_made_anew_makes_the_index_anew() {
    let bed = Bed::new().await;
    bed.write(300).await;
    let kept = bed.keep();
    kept.holds(300).await;
    kept.stop().await;
    let topic = bed.topics.attempts.clone();
    let options = AdminOptions::new();
    bed.admin()
        .delete_topics(&[&topic], &options)
        .await
        .unwrap();
    let broker = Broker::shared().await;
    until("the topic is gone", DEADLINE, async || {
        broker.topics(&topic).await.is_empty().then_some(())
    })
    .await;
    bed.make_topic().await;
    bed.write(12).await;
    let kept = bed.keep();
    kept.holds(12).await;
    kept.stop().await;
}

#[tokio::test]
async fn what_the_topic_did_not_keep_until_it_was_read_is_passed_over() {
    let bed = Bed::new().await;
    bed.write(300).await;
    let kept = bed.keep();
    kept.holds(300).await;
    kept.stop().await;
    bed.write(100).await;
    let mut ends = TopicPartitionList::new();
    for partition in 0..6 {
        ends.add_partition_offset(&bed.topics.attempts, partition, Offset::End)
            .unwrap();
    }
    let options = AdminOptions::new();
    bed.admin().delete_records(&ends, &options).await.unwrap();
    bed.write(7).await;
    let kept = bed.keep();
    // What was there before stays.
    kept.holds(307).await;
    assert_eq!(kept.metric("attempts_index_rebuilds_total"), 0);
    kept.stop().await;
}

#[tokio::test]
async fn a_second_process_does_not_share_the_file() {
    let bed = Bed::new().await;
    let kept = bed.keep();
    let metrics = Metrics::register(&Registry::new()).unwrap();
    let settings = IndexSettings {
        path: bed.path(),
        max_attempts: 1_000,
    };
    let error = Keeper::new(&settings, &metrics).unwrap_err();
    assert_eq!(error.key(), "index.path");
    kept.stop().await;
    Keeper::new(&settings, &metrics).unwrap();
}
