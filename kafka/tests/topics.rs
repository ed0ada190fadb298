//! What is said about topics, as far as the mock cluster knows them.

#![expect(
    clippy::unwrap_used,
    reason = "helpers fail like the test that calls them"
)]

use std::{collections::BTreeMap, time::Duration};

use domain::{Cleanup, TopicSpec};
use kafka::{Connection, Difference, TopicError, TopicPolicy, ensure_topics};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

mod mock;
use mock::DEADLINE;

fn spec(name: &str, partitions: i32, partitions_fixed: bool) -> TopicSpec {
    TopicSpec {
        name: name.to_owned(),
        partitions,
        partitions_fixed,
        cleanup: Cleanup::Delete {
            retention: Duration::from_secs(7 * 24 * 3600),
        },
        max_message_bytes: 1_048_588,
    }
}

async fn trust(
    connection: &Connection,
    specs: &[TopicSpec],
) -> Result<Vec<Difference>, TopicError> {
    let shutdown = CancellationToken::new();
    let ensured = ensure_topics(connection, specs, TopicPolicy::Trust, &shutdown);
    timeout(DEADLINE, ensured).await.unwrap()
}

#[tokio::test]
async fn topics_that_are_as_needed_are_passed() {
    let (_cluster, connection) = mock::cluster(&[("events", 6), ("table", 1)]);
    let specs = [spec("events", 6, false), spec("table", 1, true)];
    assert_eq!(trust(&connection, &specs).await.unwrap(), []);
}

#[tokio::test]
async fn a_table_with_more_than_one_partition_is_refused_and_the_text_says_how_it_differs() {
    let (_cluster, connection) = mock::cluster(&[("table", 3)]);
    let error = trust(&connection, &[spec("table", 1, true)])
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("topic table has 3 partitions, needs 1"),
        "{text}"
    );
}

#[tokio::test]
async fn another_number_of_partitions_elsewhere_is_a_warning() {
    let (_cluster, connection) = mock::cluster(&[("events", 3)]);
    let differences = trust(&connection, &[spec("events", 6, false)])
        .await
        .unwrap();
    assert_eq!(differences.len(), 1);
    assert!(!differences[0].breaks());
    let text = differences[0].to_string();
    assert!(
        text.contains("topic events has 3 partitions, usual are 6"),
        "{text}"
    );
}

#[tokio::test]
async fn missing_topics_are_named_with_the_commands_that_make_them() {
    let (_cluster, connection) = mock::cluster(&[("there", 6)]);
    let specs = [spec("there", 6, false), spec("missing", 6, false)];
    let text = trust(&connection, &specs).await.unwrap_err().to_string();
    assert!(
        text.contains("these topics are missing, or hidden from this user: missing."),
        "{text}"
    );
    let command = format!(
        "kafka-topics.sh --bootstrap-server {} --create --topic missing --partitions 6 \
         --config cleanup.policy=delete --config retention.ms=604800000 \
         --config max.message.bytes=1048588",
        connection.brokers()
    );
    assert!(text.contains(&command), "{text}");
}

#[tokio::test]
async fn a_cluster_that_comes_later_is_waited_for_until_shutdown() {
    let shutdown = CancellationToken::new();
    // Nothing listens on port 1.
    let connection = Connection::new("127.0.0.1:1", "test", BTreeMap::new()).unwrap();
    let specs = [spec("events", 6, false)];
    let ensured = ensure_topics(&connection, &specs, TopicPolicy::Trust, &shutdown);
    tokio::pin!(ensured);
    tokio::select! {
        biased;
        outcome = &mut ensured => panic!("there is no cluster, but {outcome:?}"),
        () = std::future::ready(()) => {}
    }
    shutdown.cancel();
    let error = timeout(DEADLINE, ensured).await.unwrap().unwrap_err();
    assert!(matches!(error, TopicError::Stopped), "{error}");
}
