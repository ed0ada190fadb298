//! A console whose cluster is away.

use serde_json::json;

use super::fixture::{Console, DEADLINE, SHOP, cluster, settings, until};

#[tokio::test]
async fn without_a_cluster_at_start_it_answers_503_and_comes_up_without_a_restart() {
    let cluster = cluster();
    cluster.broker_down(1).unwrap();
    let console = Console::start_unready(settings(&cluster.bootstrap_servers())).await;
    let answer = console.get("/api/v1/endpoints", SHOP).await;
    assert_eq!(answer.status, 503);
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(
        console.get("/api/v1/endpoints", "unknown").await.status,
        401
    );
    let missing = console.health.ready().unwrap_err();
    let all = [
        "topics made and checked",
        "endpoint table read",
        "audit read",
    ];
    assert_eq!(missing, all);
    assert!(console.health.live().is_ok());

    cluster.broker_up(1).unwrap();
    until("the console is ready", async || {
        console.health.ready().is_ok()
    })
    .await;
    console.endpoint("https://shop.example.com/hook").await;
}

#[tokio::test]
async fn while_the_cluster_is_away_endpoints_are_shown_and_changes_are_503() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let (path, _) = console.endpoint("https://shop.example.com/hook").await;
    cluster.broker_down(1).unwrap();
    let create = json!({"url": "https://shop.example.com/", "events": ["new_feedback"]});
    let created = console.post("/api/v1/endpoints", SHOP, create).await;
    assert_eq!(created.status, 503);
    let changed = console
        .patch(&path, SHOP, json!({"description": "later"}))
        .await;
    assert_eq!(changed.status, 503);
    assert!(!changed.header("retry-after").is_empty());
    assert_eq!(console.get(&path, SHOP).await.status, 200);

    cluster.broker_up(1).unwrap();
    until("changes work again", async || {
        let change = json!({"description": "later"});
        console.patch(&path, SHOP, change).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn it_stops_also_while_it_waits_for_a_cluster() {
    let cluster = cluster();
    cluster.broker_down(1).unwrap();
    let console = Console::start_unready(settings(&cluster.bootstrap_servers())).await;
    let stopped = tokio::time::timeout(DEADLINE, console.stopped());
    assert!(stopped.await.is_ok());
}
