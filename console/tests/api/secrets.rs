//! Where secrets are shown, and what a rotation leaves.

use domain::{Endpoint, Timestamp};
use kafka::{Connection, Start, Table, TableEvent};
use serde_json::Value;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

use super::fixture::{Console, SHOP, cluster, settings};

#[tokio::test]
async fn a_secret_is_shown_at_creation_at_rotation_and_by_its_own_call_only() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let (path, created) = console.endpoint("https://shop.example.com/hook").await;
    let secret = created.text("secret").to_owned();
    assert_eq!(created.header("cache-control"), "no-store");
    let shown = console.get(&format!("{path}/secret"), SHOP).await;
    assert_eq!(shown.text("secret"), secret);
    assert_eq!(shown.body["previous"], Value::Null);
    assert_eq!(shown.header("cache-control"), "no-store");
    let change = serde_json::json!({"description": "a"});
    for answer in [
        console.get("/api/v1/endpoints", SHOP).await,
        console.get(&path, SHOP).await,
        console.patch(&path, SHOP, change).await,
        console
            .post(&format!("{path}/pause"), SHOP, Value::Null)
            .await,
    ] {
        assert!(
            !answer.body.to_string().contains("whsec_"),
            "{:?}",
            answer.body
        );
    }
    let metrics = console.metric("").await.join("\n");
    assert!(!metrics.contains("whsec_"));
}

#[tokio::test]
async fn a_rotation_keeps_the_old_secret_for_a_day_and_only_that_one() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let (path, created) = console.endpoint("https://shop.example.com/hook").await;
    let rotate = async || {
        let rotated = console
            .post(&format!("{path}/rotate-secret"), SHOP, Value::Null)
            .await;
        assert_eq!(rotated.status, 200);
        rotated.text("secret").to_owned()
    };
    let second = rotate().await;
    assert_ne!(second, created.text("secret"));
    let shown = console.get(&format!("{path}/secret"), SHOP).await;
    assert_eq!(shown.text("secret"), second);
    assert_eq!(shown.body["previous"]["secret"], created.text("secret"));
    let expires: Timestamp = shown.body["previous"]["expires_at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let hours = expires.since(Timestamp::now()).as_secs_f64() / 3600.0;
    assert!((23.9..=24.0).contains(&hours), "{hours} hours");

    let third = rotate().await;
    let shown = console.get(&format!("{path}/secret"), SHOP).await;
    assert_eq!(shown.text("secret"), third);
    assert_eq!(shown.body["previous"]["secret"], second);
}

#[tokio::test]
async fn what_reaches_the_topic_is_sealed_and_opens_for_this_endpoint_only() {
    let cluster = cluster();
    let settings = settings(&cluster.bootstrap_servers());
    let console = Console::start(settings.clone()).await;
    let (_, created) = console.endpoint("https://shop.example.com/hook").await;
    let records = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&records);
    let connection = Connection::new(&settings.kafka.brokers, "test", Default::default()).unwrap();
    let table = Table::follow(
        &connection,
        "test",
        "webhooks.endpoints",
        Start::Beginning,
        move |event| {
            if let TableEvent::Records(records) = event {
                let values = records.iter().filter_map(|record| record.value());
                keep.lock().unwrap().extend(values.map(<[u8]>::to_vec));
            }
            ControlFlow::Continue(())
        },
        &CancellationToken::new(),
    )
    .unwrap();
    table.caught_up().await.unwrap();
    let record = records.lock().unwrap()[0].clone();
    assert!(
        !String::from_utf8(record.clone())
            .unwrap()
            .contains("whsec_")
    );
    let endpoint: Endpoint = serde_json::from_slice(&record).unwrap();
    let keys = settings.secrets.keys.iter();
    let keys = domain::KeyRing::new(keys.map(|key| (key.id.as_str(), key.key.expose()))).unwrap();
    let opened = keys
        .open(&endpoint.account, endpoint.id, &endpoint.secrets[0])
        .unwrap();
    assert_eq!(opened.expose(), created.text("secret"));
    let other = "other".parse().unwrap();
    assert!(
        keys.open(&other, endpoint.id, &endpoint.secrets[0])
            .is_err()
    );
}
