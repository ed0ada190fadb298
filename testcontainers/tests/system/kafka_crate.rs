//! What the `kafka` crate promises and only a real broker can show: topics
//! and their settings, transactions, fencing, markers, a broker that dies.

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

use domain::{Cleanup, TopicSpec, record::Coordinates};
use e2e::{Broker, random_hex};
use kafka::{
    Connection, Difference, Follower, Lookup, LookupError, MoveError, Mover, PublishError,
    Publisher, PublisherOptions, Record, Start, Stored, Table, TableEvent, TopicError, TopicPolicy,
    ensure_topics,
};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier},
    client::DefaultClientContext,
    producer::{BaseProducer, BaseRecord, Producer},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(60);
/// Longer than a broker may take to start again.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(300);
const DAY: Duration = Duration::from_secs(24 * 3600);
const CREATE: TopicPolicy = TopicPolicy::Create { replication: -1 };

async fn connection() -> Connection {
    connect(Broker::shared().await.bootstrap())
}

fn connect(brokers: &str) -> Connection {
    Connection::new(brokers, "kafka-crate", BTreeMap::new()).unwrap()
}

fn unique(name: &str) -> String {
    format!("{}.{name}", random_hex(12))
}

fn table_spec(name: &str) -> TopicSpec {
    TopicSpec {
        name: unique(name),
        partitions: 1,
        partitions_fixed: true,
        cleanup: Cleanup::Compact {
            tombstones: Some(7 * DAY),
        },
        max_message_bytes: 1_048_588,
    }
}

fn plain_spec(name: &str) -> TopicSpec {
    TopicSpec {
        partitions_fixed: false,
        cleanup: Cleanup::Delete { retention: 7 * DAY },
        ..table_spec(name)
    }
}

async fn ensure(
    connection: &Connection,
    specs: &[&TopicSpec],
    policy: TopicPolicy,
) -> Result<Vec<Difference>, TopicError> {
    let shutdown = CancellationToken::new();
    let specs: Vec<TopicSpec> = specs.iter().copied().cloned().collect();
    let ensured = ensure_topics(connection, &specs, policy, &shutdown);
    timeout(DEADLINE, ensured).await.unwrap()
}

fn admin(connection: &Connection) -> AdminClient<DefaultClientContext> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", connection.brokers());
    config.create().unwrap()
}

/// Replaces the settings that the topic has of its own, and waits until they are told.
async fn alter(connection: &Connection, topic: &str, settings: &[(&str, &str)]) {
    let change = AlterConfig::new(ResourceSpecifier::Topic(topic));
    let change = settings
        .iter()
        .fold(change, |change, (key, value)| change.set(key, value));
    let (admin, options) = (admin(connection), AdminOptions::new());
    let results = admin.alter_configs([&change], &options).await.unwrap();
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    // The controller has them first, and a broker a moment later.
    e2e::until("the new settings", DEADLINE, async || {
        let topic = ResourceSpecifier::Topic(topic);
        let configs = admin.describe_configs([&topic], &options).await.unwrap();
        let config = configs[0].as_ref().unwrap();
        let told =
            |(key, value): &(&str, &str)| config.get(key).unwrap().value.as_deref() == Some(*value);
        settings.iter().all(told).then_some(())
    })
    .await;
}

fn publisher(connection: &Connection) -> Publisher {
    let options = PublisherOptions {
        message_timeout: MESSAGE_TIMEOUT,
        ..PublisherOptions::default()
    };
    Publisher::open(connection, "publish", options).unwrap()
}

async fn mover(connection: &Connection, id: &str) -> Mover {
    let stop = CancellationToken::new();
    let opened = Mover::open(connection, "move", id, &stop);
    timeout(DEADLINE, opened).await.unwrap().unwrap()
}

/// What a table has passed on, in a form that can be compared.
type Seen = Arc<Mutex<Vec<String>>>;

fn follow(connection: &Connection, topic: &str, start: Start) -> (Table, Seen) {
    let seen = Seen::default();
    let note = Arc::clone(&seen);
    let on_event = move |event: TableEvent<'_>| {
        let mut seen = note.lock().unwrap();
        match event {
            TableEvent::Reset => seen.push("reset".to_owned()),
            TableEvent::Records(records) => seen.extend(records.iter().map(|record| {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                let value = record.value().map_or_else(|| "gone".to_owned(), text);
                format!("{} {value}", text(record.key()))
            })),
        }
        ControlFlow::Continue(())
    };
    let stop = CancellationToken::new();
    let table = Table::follow(connection, "table", topic, start, on_event, &stop).unwrap();
    (table, seen)
}

/// What the topic holds. `written` stands there, but is not read before the marker of its
/// transaction, which comes after the answer that it is committed.
async fn contents(connection: &Connection, topic: &str, written: &[Stored]) -> Vec<String> {
    let (table, seen) = follow(connection, topic, Start::Beginning);
    timeout(DEADLINE, table.caught_up()).await.unwrap().unwrap();
    for stored in written {
        let read = timeout(DEADLINE, table.wait_for(stored.offset)).await;
        read.unwrap().unwrap();
    }
    drop(table);
    seen.lock().unwrap().clone()
}

fn record(topic: &str, key: &str, value: &str) -> Record<'static> {
    let (key, value) = (key.as_bytes().to_vec(), value.as_bytes().to_vec());
    Record::new(topic.to_owned(), key, value)
}

fn tombstone(topic: &str, key: &str) -> Record<'static> {
    Record::tombstone(topic.to_owned(), key.as_bytes().to_vec())
}

/// A producer in the middle of a transaction, as a crash leaves it.
fn open_transaction(connection: &Connection, id: &str, topic: &str) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", connection.brokers());
    config.set("transactional.id", id);
    let producer: BaseProducer = config.create().unwrap();
    producer.init_transactions(DEADLINE).unwrap();
    producer.begin_transaction().unwrap();
    let half = BaseRecord::to(topic).key("half").payload("moved");
    producer.send(half).unwrap();
    producer.flush(DEADLINE).unwrap();
    producer
}

#[tokio::test]
async fn missing_topics_are_made_as_specified_also_by_two_at_once() {
    let connection = connection().await;
    let (table, plain) = (table_spec("table"), plain_spec("plain"));
    let specs = [&table, &plain];
    let (one, other) = tokio::join!(
        ensure(&connection, &specs, CREATE),
        ensure(&connection, &specs, CREATE),
    );
    for differences in [one.unwrap(), other.unwrap()] {
        // The one broker there is, is what the warning is about.
        let all = specs.iter().map(|spec| spec.name.clone()).collect();
        assert_eq!(differences, [Difference::InSyncReplicas { topics: all }]);
    }
    let topics = specs.map(|spec| ResourceSpecifier::Topic(&spec.name));
    let options = AdminOptions::new();
    let configs = admin(&connection)
        .describe_configs(&topics, &options)
        .await
        .unwrap();
    let value = |topic: usize, key: &str| {
        let config = configs[topic].as_ref().unwrap();
        config.get(key).unwrap().value.clone().unwrap()
    };
    assert_eq!(value(0, "cleanup.policy"), "compact");
    assert_eq!(value(0, "delete.retention.ms"), "604800000");
    assert_eq!(value(1, "cleanup.policy"), "delete");
    assert_eq!(value(1, "retention.ms"), "604800000");
    assert_eq!(value(1, "max.message.bytes"), "1048588");
}

#[tokio::test]
async fn a_topic_that_nobody_may_make_is_named_with_its_command() {
    let connection = connection().await;
    let spec = plain_spec("absent");
    let error = ensure(&connection, &[&spec], TopicPolicy::Check)
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(&format!("--create --topic {} --partitions 1", spec.name)),
        "{text}"
    );
}

#[tokio::test]
async fn more_copies_than_brokers_are_refused_with_the_reason() {
    let connection = connection().await;
    let spec = plain_spec("copies");
    let policy = TopicPolicy::Create { replication: 77 };
    let error = ensure(&connection, &[&spec], policy).await.unwrap_err();
    assert!(
        matches!(&error, TopicError::Refused { topic, .. } if *topic == spec.name),
        "{error}"
    );
}

#[tokio::test]
async fn an_existing_topic_is_told_exactly_how_it_differs() {
    let connection = connection().await;
    let (table, plain) = (table_spec("table"), plain_spec("plain"));
    let specs = [&table, &plain];
    ensure(&connection, &specs, CREATE).await.unwrap();

    let short = [
        ("retention.ms", "60000"),
        ("max.message.bytes", "1000"),
        ("min.insync.replicas", "2"),
    ];
    alter(&connection, &plain.name, &short).await;
    let differences = ensure(&connection, &[&plain], TopicPolicy::Check)
        .await
        .unwrap();
    let texts: Vec<String> = differences.iter().map(ToString::to_string).collect();
    let name = &plain.name;
    assert_eq!(
        texts,
        [
            format!(
                "topic {name} has retention.ms=60000, should have at least 604800000: what waits longer than that is lost"
            ),
            format!(
                "topic {name} has max.message.bytes=1000, should have at least 1048588: large records cannot be written there"
            ),
        ]
    );

    alter(&connection, &table.name, &[("cleanup.policy", "delete")]).await;
    let error = ensure(&connection, &specs, CREATE)
        .await
        .unwrap_err()
        .to_string();
    let name = &table.name;
    assert!(
        error.starts_with(&format!(
            "topic {name} has cleanup.policy=delete, needs compact"
        )),
        "{error}"
    );
}

#[tokio::test]
async fn a_move_is_seen_whole_and_its_marker_does_not_hide_the_end() {
    let connection = connection().await;
    let (resend, failed) = (table_spec("resend"), table_spec("failed"));
    ensure(&connection, &[&resend, &failed], CREATE)
        .await
        .unwrap();
    let (table, seen) = follow(&connection, &failed.name, Start::Beginning);
    let publisher = publisher(&connection);
    publisher
        .publish(record(&failed.name, "d1", "body"))
        .await
        .unwrap();

    let mover = mover(&connection, &unique("mover")).await;
    let records = vec![
        record(&resend.name, "d1", "body"),
        tombstone(&failed.name, "d1"),
    ];
    let stored = timeout(DEADLINE, mover.move_records(records))
        .await
        .unwrap()
        .unwrap();
    timeout(DEADLINE, table.wait_for(stored[1].offset))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(*seen.lock().unwrap(), ["d1 body", "d1 gone"]);
    // The last record of each topic is now a marker, which no reader is given.
    timeout(DEADLINE, table.read_to_end())
        .await
        .unwrap()
        .unwrap();
    let end = table.end(&connection, "end").unwrap();
    timeout(DEADLINE, end.reached()).await.unwrap().unwrap();
    assert_eq!(
        contents(&connection, &resend.name, &stored[..1]).await,
        ["d1 body"]
    );
    assert_eq!(
        contents(&connection, &failed.name, &stored[1..]).await,
        ["d1 body", "d1 gone"]
    );
    // Going on from a stored offset, where only the marker is left.
    let (later, seen) = follow(&connection, &failed.name, Start::At(table.next_offset()));
    timeout(DEADLINE, later.caught_up()).await.unwrap().unwrap();
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_refused_record_takes_back_its_whole_move_and_no_other() {
    let connection = connection().await;
    let (small, other) = (table_spec("small"), table_spec("other"));
    let small = TopicSpec {
        max_message_bytes: 2000,
        ..small
    };
    ensure(&connection, &[&small, &other], CREATE)
        .await
        .unwrap();
    let mover = mover(&connection, &unique("mover")).await;
    let large = "x".repeat(100_000);
    let bad = vec![
        record(&other.name, "d1", "bad"),
        record(&small.name, "d1", &large),
    ];
    let good = vec![
        record(&other.name, "d2", "good"),
        record(&small.name, "d2", "small"),
    ];
    let (bad, good) = tokio::join!(mover.move_records(bad), mover.move_records(good));
    assert!(matches!(bad, Err(MoveError::Refused(_))), "{bad:?}");
    let good = good.unwrap();
    assert_eq!(
        contents(&connection, &other.name, &good[..1]).await,
        ["d2 good"]
    );
    assert_eq!(
        contents(&connection, &small.name, &good[1..]).await,
        ["d2 small"]
    );
}

#[tokio::test]
async fn a_second_mover_fences_the_first_and_takes_back_what_it_left_open() {
    let connection = connection().await;
    let topic = table_spec("failed");
    ensure(&connection, &[&topic], CREATE).await.unwrap();
    let id = unique("mover");
    let crashed = open_transaction(&connection, &id, &topic.name);
    // Readers stand still in front of it.
    let later = publisher(&connection)
        .publish(record(&topic.name, "later", "1"))
        .await
        .unwrap();
    assert!(contents(&connection, &topic.name, &[]).await.is_empty());

    let first = mover(&connection, &id).await;
    assert_eq!(
        contents(&connection, &topic.name, &[later]).await,
        ["later 1"]
    );
    crashed.commit_transaction(DEADLINE).unwrap_err();

    let second = mover(&connection, &id).await;
    let error = first
        .move_records(vec![record(&topic.name, "old", "1")])
        .await
        .unwrap_err();
    assert!(matches!(error, MoveError::Fenced(_)), "{error}");
    timeout(DEADLINE, first.failed()).await.unwrap();
    let again = first
        .move_records(vec![record(&topic.name, "old", "2")])
        .await
        .unwrap_err();
    assert!(matches!(again, MoveError::Fenced(_)), "{again}");
    let new = second
        .move_records(vec![record(&topic.name, "new", "1")])
        .await
        .unwrap();
    assert_eq!(
        contents(&connection, &topic.name, &new).await,
        ["later 1", "new 1"]
    );
}

#[tokio::test]
async fn records_that_were_deleted_under_a_stored_offset_reset_the_table() {
    let connection = connection().await;
    let topic = plain_spec("plain");
    ensure(&connection, &[&topic], CREATE).await.unwrap();
    let publisher = publisher(&connection);
    for value in ["0", "1", "2"] {
        publisher
            .publish(record(&topic.name, "k", value))
            .await
            .unwrap();
    }
    let broker = Broker::shared().await;
    broker.delete_records(&topic.name, 0, 2).await;
    let (table, seen) = follow(&connection, &topic.name, Start::At(1));
    timeout(DEADLINE, table.caught_up()).await.unwrap().unwrap();
    assert_eq!(*seen.lock().unwrap(), ["reset", "k 2"]);
}

#[tokio::test]
async fn a_record_is_found_where_it_stands_and_nothing_in_its_place() {
    let connection = connection().await;
    let topic = TopicSpec {
        partitions: 2,
        ..plain_spec("plain")
    };
    ensure(&connection, &[&topic], CREATE).await.unwrap();
    // Each transaction leaves a marker behind its record: 0, 2, 4.
    let mover = mover(&connection, &unique("mover")).await;
    let mut partition = 0;
    for value in ["a", "b", "c"] {
        let record = record(&topic.name, "k", value).header("account", "shop");
        let stored = timeout(DEADLINE, mover.move_records(vec![record])).await;
        partition = stored.unwrap().unwrap()[0].partition;
    }
    let lookup = Lookup::open(&connection, "lookup").unwrap();
    let at = async |topic: &str, partition: i32, offset: i64| {
        let place = Coordinates {
            topic: topic.into(),
            partition,
            offset,
        };
        timeout(DEADLINE, lookup.at(place)).await.unwrap()
    };

    e2e::until("the last marker", DEADLINE, async || {
        at(&topic.name, partition, 4).await.ok()
    })
    .await;
    for (offset, value) in [(4, "c"), (0, "a"), (2, "b")] {
        let found = at(&topic.name, partition, offset).await.unwrap();
        assert_eq!(found.value.as_deref(), Some(value.as_bytes()));
        assert_eq!(found.key, b"k");
        assert_eq!(found.header("account"), Some(&b"shop"[..]));
        assert_eq!(found.header("other"), None);
    }
    let broker = Broker::shared().await;
    broker.delete_records(&topic.name, partition, 2).await;
    assert!(at(&topic.name, partition, 2).await.is_ok());
    assert_eq!(
        at(&topic.name, partition, 0).await,
        Err(LookupError::Expired)
    );
    for (topic, partition, offset) in [
        (topic.name.as_str(), partition, 3),
        (topic.name.as_str(), partition, 6),
        (topic.name.as_str(), partition, 1_000),
        (topic.name.as_str(), partition, -1),
        (topic.name.as_str(), 2, 0),
        (topic.name.as_str(), -1, 0),
        (&unique("absent"), 0, 0),
    ] {
        let found = at(topic, partition, offset).await;
        assert_eq!(
            found,
            Err(LookupError::Absent),
            "{topic} {partition} {offset}"
        );
    }
    assert!(at(&topic.name, partition, 4).await.is_ok());
}

#[tokio::test]
async fn a_topic_that_refuses_a_record_says_so_and_it_is_not_written() {
    let connection = connection().await;
    let small = TopicSpec {
        max_message_bytes: 2000,
        ..plain_spec("small")
    };
    ensure(&connection, &[&small], CREATE).await.unwrap();
    let publisher = publisher(&connection);
    let large = record(&small.name, "k", &"x".repeat(100_000));
    let error = publisher.publish(large).await.unwrap_err();
    assert!(matches!(error, PublishError::Refused { .. }), "{error}");
    let written = publisher
        .publish(record(&small.name, "k", "small"))
        .await
        .unwrap();
    assert_eq!(
        contents(&connection, &small.name, &[written]).await,
        ["k small"]
    );
}

#[tokio::test]
async fn a_broker_that_dies_and_comes_back_loses_and_repeats_nothing() {
    let mut broker = Broker::private().await;
    let connection = connect(broker.bootstrap());
    let (topic, moved) = (table_spec("table"), table_spec("moved"));
    ensure(&connection, &[&topic, &moved], CREATE)
        .await
        .unwrap();
    let publisher = publisher(&connection);
    let (table, seen) = follow(&connection, &topic.name, Start::Beginning);
    let mover = mover(&connection, &unique("mover")).await;
    let mut expected = vec!["k before".to_owned()];
    publisher
        .publish(record(&topic.name, "k", "before"))
        .await
        .unwrap();

    broker.kill().await;
    let mut waiting = Vec::new();
    for number in 0..100 {
        let value = number.to_string();
        waiting.push(
            publisher
                .start(record(&topic.name, "k", &value))
                .await
                .unwrap(),
        );
        expected.push(format!("k {value}"));
    }
    broker.start().await;
    for delivery in waiting {
        timeout(DEADLINE, delivery).await.unwrap().unwrap();
    }
    timeout(DEADLINE, table.read_to_end())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(*seen.lock().unwrap(), expected);
    let records = vec![record(&moved.name, "k", "after")];
    let after = timeout(DEADLINE, mover.move_records(records))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        contents(&connection, &moved.name, &after).await,
        ["k after"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_first_records_are_gone_is_followed_from_what_is_left() {
    let connection = connection().await;
    let spec = plain_spec("log");
    ensure(&connection, &[&spec], CREATE).await.unwrap();
    let publisher = publisher(&connection);
    for number in 0..10 {
        let written = record(&spec.name, "key", &number.to_string());
        publisher.publish(written).await.unwrap();
    }
    Broker::shared()
        .await
        .delete_records(&spec.name, 0, 6)
        .await;
    for (newest, expected) in [(2, &["8", "9"][..]), (100, &["6", "7", "8", "9"])] {
        let seen = Seen::default();
        let note = Arc::clone(&seen);
        let on_record = move |_, value: &[u8]| {
            let text = String::from_utf8_lossy(value).into_owned();
            note.lock().unwrap().push(text);
        };
        let stop = CancellationToken::new();
        let name = &spec.name;
        let follower =
            Follower::start(&connection, "follow", name, newest, on_record, &stop).unwrap();
        timeout(DEADLINE, follower.caught_up())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(*seen.lock().unwrap(), expected);
    }
}
