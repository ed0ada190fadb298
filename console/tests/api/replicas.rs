//! Two consoles on one cluster.

use serde_json::{Value, json};

use super::fixture::{Console, SHOP, cluster, settings, until};

#[tokio::test]
async fn what_one_console_has_answered_the_other_knows_at_once() {
    let cluster = cluster();
    let settings = settings(&cluster.bootstrap_servers());
    let one = Console::start(settings.clone()).await;
    let two = Console::start(settings).await;
    for round in 0..5 {
        let (path, created) = one.endpoint("https://shop.example.com/hook").await;
        let got = two.get(&path, SHOP).await;
        assert_eq!(got.status, 200, "made by the other console just now");
        assert_eq!(got.header("etag"), created.header("etag"));

        // Each change starts from the other's, so none undoes the one before.
        let url = format!("https://shop.example.com/{round}");
        assert_eq!(
            one.patch(&path, SHOP, json!({"url": url})).await.status,
            200
        );
        let paused = two.post(&format!("{path}/pause"), SHOP, Value::Null).await;
        assert_eq!(
            (paused.text("url"), paused.text("state")),
            (url.as_str(), "paused")
        );
        let described = one.patch(&path, SHOP, json!({"description": "both"})).await;
        assert_eq!(
            (described.text("url"), described.text("state")),
            (url.as_str(), "paused")
        );

        assert_eq!(two.delete(&path, SHOP).await.status, 204);
        let late = one.post(&format!("{path}/resume"), SHOP, Value::Null).await;
        assert_eq!(late.status, 404, "a deleted endpoint does not come back");
    }
}

#[tokio::test]
async fn the_other_console_lists_a_new_endpoint_soon_and_a_new_one_reads_it() {
    let cluster = cluster();
    let settings = settings(&cluster.bootstrap_servers());
    let one = Console::start(settings.clone()).await;
    let two = Console::start(settings.clone()).await;
    let (_, created) = one.endpoint("https://shop.example.com/hook").await;
    until("the other console lists the endpoint", async || {
        let list = two.get("/api/v1/endpoints", SHOP).await;
        list.body["items"][0]["id"] == created.text("id")
    })
    .await;
    one.stopped().await;
    let three = Console::start(settings).await;
    let list = three.get("/api/v1/endpoints", SHOP).await;
    assert_eq!(list.body["items"][0]["id"], created.text("id"));
}
