//! The broker of the test bed itself.

use std::time::Duration;

use e2e::Broker;
use e2e::kafka::NewRecord;

fn record(key: &str, value: &str) -> NewRecord {
    NewRecord {
        key: Some(key.into()),
        value: Some(value.into()),
        headers: vec![("account".to_owned(), b"shop".to_vec())],
        partition: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_written_to_the_shared_broker_is_read_back() {
    let broker = Broker::shared().await;
    let topic = format!("t{}.a", e2e::random_hex(8));
    broker.create_topic(&topic, 3).await;
    broker.write(&topic, record("k", r#"{"größe":1}"#)).await;

    let records = broker.read(&topic).await;

    assert_eq!(records.len(), 1);
    assert_eq!(records[0].key_text(), "k");
    assert_eq!(records[0].json()["größe"], 1);
    assert_eq!(records[0].header("account").as_deref(), Some("shop"));
    assert_eq!(broker.lag("nobody", &topic).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_topic_is_not_made_by_asking_for_it() {
    let broker = Broker::shared().await;
    let topic = format!("t{}.absent", e2e::random_hex(8));

    assert!(broker.read(&topic).await.is_empty());
    assert!(broker.topics(&topic).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_broker_keeps_its_records_over_a_kill() {
    let mut broker = Broker::private().await;
    broker.create_topic("a", 1).await;
    broker.write("a", record("k", "before")).await;
    let bootstrap = broker.bootstrap().to_owned();

    broker.kill().await;
    broker.start().await;

    assert_eq!(broker.bootstrap(), bootstrap);
    e2e::until(
        "the record is there again",
        Duration::from_secs(30),
        async || {
            let records = broker.read("a").await;
            (records.first()?.value.as_deref() == Some(b"before")).then_some(())
        },
    )
    .await;
}
