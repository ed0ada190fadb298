//! From creation to deletion.

use domain::EndpointStateRecord;
use kafka::{Connection, Publisher, PublisherOptions, Record};
use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{Console, SHOP, cluster, send, settings, until};

#[tokio::test]
async fn an_endpoint_lives_from_creation_to_deletion() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let created = console
        .post(
            "/api/v1/endpoints",
            SHOP,
            json!({
                "url": "https://api.yourshop.de/webhooks/feedback",
                "events": ["rating_submitted", "new_feedback"],
                "description": "Bewertungen für die Zentrale 🙂",
                "headers": {"X-Shop": "north"},
                "max_per_second": 20,
            }),
        )
        .await;
    assert_eq!(created.status, 201);
    let id = created.text("id").to_owned();
    let path = format!("/api/v1/endpoints/{id}");
    assert!(id.starts_with("ep_"));
    assert_eq!(created.header("location"), path);
    assert!(created.text("secret").starts_with("whsec_"));
    assert_eq!(created.text("state"), "enabled");
    assert_eq!(
        created.body["events"],
        json!(["new_feedback", "rating_submitted"])
    );
    assert_eq!(created.body["headers"], json!({"X-Shop": "north"}));
    assert_eq!(created.body["max_per_second"], 20);

    // At once, because the creation has read its own record back.
    let got = console.get(&path, SHOP).await;
    assert_eq!(got.status, 200);
    assert_eq!(got.header("etag"), created.header("etag"));
    assert_eq!(got.text("description"), "Bewertungen für die Zentrale 🙂");

    let change = json!({"events": ["nps_calculated"], "description": null, "max_per_second": null});
    let changed = console.patch(&path, SHOP, change).await;
    assert_eq!(changed.status, 200, "{:?}", changed.body);
    assert_eq!(changed.body["events"], json!(["nps_calculated"]));
    assert_eq!(changed.body["description"], Value::Null);
    assert_eq!(changed.body["max_per_second"], Value::Null);
    assert_eq!(
        changed.text("url"),
        "https://api.yourshop.de/webhooks/feedback"
    );
    assert_eq!(changed.body["headers"], json!({"X-Shop": "north"}));
    assert_ne!(changed.header("etag"), created.header("etag"));

    let paused = console
        .post(&format!("{path}/pause"), SHOP, Value::Null)
        .await;
    assert_eq!(
        (paused.status.as_u16(), paused.text("state")),
        (200, "paused")
    );
    let again = console
        .post(&format!("{path}/pause"), SHOP, Value::Null)
        .await;
    assert_eq!(
        again.header("etag"),
        paused.header("etag"),
        "nothing to change"
    );
    let resumed = console
        .post(&format!("{path}/resume"), SHOP, Value::Null)
        .await;
    assert_eq!(
        (resumed.status.as_u16(), resumed.text("state")),
        (200, "enabled")
    );

    let deleted = console.delete(&path, SHOP).await;
    assert_eq!(deleted.status, 204);
    assert_eq!(console.get(&path, SHOP).await.status, 404);
    assert_eq!(console.delete(&path, SHOP).await.status, 404);
    let list = console.get("/api/v1/endpoints", SHOP).await;
    assert_eq!(list.body, json!({"items": [], "next_cursor": null}));
    let kinds = console.metric("feedbackpro_console_changes_total").await;
    assert_eq!(
        kinds.len(),
        5,
        "created, changed, paused, resumed, deleted: {kinds:?}"
    );
    console.stopped().await;
}

#[tokio::test]
async fn a_change_for_an_old_version_is_412_and_changes_nothing() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let (path, created) = console.endpoint("https://shop.example.com/hook").await;
    let old = created.header("etag");
    let change = |etag: &str, description: &str| {
        console
            .request(Method::PATCH, &path, SHOP)
            .header("if-match", etag)
            .json(&json!({"description": description}))
    };
    let first = send(change(old, "first")).await;
    assert_eq!(first.status, 200);
    let second = send(change(old, "second")).await;
    assert_eq!(second.status, 412);
    assert!(second.text("detail").contains(first.header("etag")));
    for (method, action) in [
        (Method::DELETE, ""),
        (Method::POST, "/pause"),
        (Method::POST, "/rotate-secret"),
    ] {
        let request = console.request(method, &format!("{path}{action}"), SHOP);
        assert_eq!(
            send(request.header("if-match", old)).await.status,
            412,
            "{action}"
        );
    }
    assert_eq!(send(change("not a tag", "third")).await.status, 400);
    let now = console.get(&path, SHOP).await;
    assert_eq!(now.text("description"), "first");
    assert_eq!(send(change(now.header("etag"), "third")).await.status, 200);
    assert_eq!(send(change("*", "fourth")).await.status, 200);
}

#[tokio::test]
async fn resume_enables_what_the_dispatcher_disabled_and_voids_its_word() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let console = Console::start(settings(&brokers)).await;
    let (path, created) = console.endpoint("https://shop.example.com/hook").await;
    let dispatcher = Connection::new(brokers, "dispatcher", Default::default()).unwrap();
    let dispatcher =
        Publisher::open(&dispatcher, "dispatcher", PublisherOptions::default()).unwrap();
    let key = format!("{}/state", created.text("id"));
    let say_gone = async || {
        let said = EndpointStateRecord {
            disabled_activation: 0,
            at: domain::Timestamp::now(),
        };
        let value = serde_json::to_vec(&said).unwrap();
        let record = Record::new("webhooks.endpoints", key.as_bytes(), value);
        dispatcher.publish(record).await.unwrap();
    };
    say_gone().await;
    until("the endpoint is disabled", async || {
        console.get(&path, SHOP).await.text("state") == "disabled"
    })
    .await;
    let gauge = "feedbackpro_console_endpoints{state=\"disabled\"} 1";
    assert_eq!(console.metric(gauge).await.len(), 1);

    let resumed = console
        .post(&format!("{path}/resume"), SHOP, Value::Null)
        .await;
    assert_eq!(resumed.text("state"), "enabled");
    // A 410 of an attempt from before the resume comes late.
    say_gone().await;
    let changed = console
        .patch(&path, SHOP, json!({"description": "late"}))
        .await;
    assert_eq!(changed.text("state"), "enabled");
    assert_eq!(
        console
            .metric("feedbackpro_console_endpoints{state=\"enabled\"} 1")
            .await
            .len(),
        1
    );
}
