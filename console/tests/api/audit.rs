//! Who did what: written before it is done, and shown.

use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use serde_json::{Value, json};

use super::fixture::{Answer, Console, OPERATOR, SHOP, cluster, settings, until};

/// What an audit page says: who, what, and which fields.
fn told(page: &Answer) -> Vec<(&str, &str, Option<&str>)> {
    let items = page.body["items"].as_array().unwrap();
    let text = |item: &'_ Value, field: &str| item[field].as_str().map(str::to_owned);
    items
        .iter()
        .map(|item| {
            assert!(text(item, "at").unwrap().ends_with('Z'));
            (
                item["token"].as_str().unwrap(),
                item["action"].as_str().unwrap(),
                item["detail"].as_str(),
            )
        })
        .collect()
}

#[tokio::test]
async fn every_change_tells_who_made_it_and_which_fields() {
    let cluster = cluster();
    let settings = settings(&cluster.bootstrap_servers());
    let console = Console::start(settings.clone()).await;
    let (path, created) = console.endpoint("https://shop.example.com/first").await;
    let change = json!({
        "url": "https://shop.example.com/hook?key=hidden-in-url",
        "events": ["rating_submitted", "new_feedback"],
        "filter": [{"field": "score", "operator": "at_most", "value": 2}],
        "description": "hidden in description",
        "headers": {"X-Shop": "hidden-in-header"},
        "max_per_second": 5,
    });
    for (action, token, answer) in [
        (
            "changed",
            SHOP,
            console.patch(&path, SHOP, change.clone()).await,
        ),
        ("nothing", SHOP, console.patch(&path, SHOP, change).await),
        (
            "changed",
            OPERATOR,
            console
                .patch(&path, OPERATOR, json!({"max_per_second": null}))
                .await,
        ),
        (
            "paused",
            SHOP,
            console
                .post(&format!("{path}/pause"), SHOP, Value::Null)
                .await,
        ),
        (
            "nothing",
            SHOP,
            console
                .post(&format!("{path}/pause"), SHOP, Value::Null)
                .await,
        ),
        (
            "resumed",
            SHOP,
            console
                .post(&format!("{path}/resume"), SHOP, Value::Null)
                .await,
        ),
        (
            "revealed",
            SHOP,
            console.get(&format!("{path}/secret"), SHOP).await,
        ),
        (
            "rotated",
            OPERATOR,
            console
                .post(&format!("{path}/rotate-secret"), OPERATOR, Value::Null)
                .await,
        ),
        ("nothing", SHOP, console.get(&path, SHOP).await),
        ("deleted", SHOP, console.delete(&path, SHOP).await),
    ] {
        assert!(
            answer.status.is_success(),
            "{action} by {token}: {:?}",
            answer.body
        );
    }
    let expected = [
        ("shop", "endpoint_deleted", None),
        ("operator", "secret_rotated", None),
        ("shop", "secret_revealed", None),
        ("shop", "endpoint_resumed", None),
        ("shop", "endpoint_paused", None),
        ("operator", "endpoint_changed", Some("max_per_second")),
        (
            "shop",
            "endpoint_changed",
            Some("url, events, filter, description, headers, max_per_second"),
        ),
        ("shop", "endpoint_created", None),
    ];
    // At once, newest first.
    let page = console.audit(SHOP, "").await;
    assert_eq!(told(&page), expected);
    for item in page.body["items"].as_array().unwrap() {
        assert_eq!(item["subject"], created.text("id"));
        assert_eq!(item["account"], "shop");
    }
    assert!(!page.body.to_string().contains("hidden"), "{:?}", page.body);
    assert!(!page.body.to_string().contains("whsec_"));
    assert_eq!(page.body["next_cursor"], Value::Null);

    // Another console and a restart know the same, from the topic.
    let another = Console::start(settings).await;
    assert_eq!(another.audit(SHOP, "").await.body, page.body);
    let (_, made) = console.endpoint("https://shop.example.com/second").await;
    until("the other console shows what this one did", async || {
        let page = another.audit(SHOP, "?limit=1").await;
        page.body["items"][0]["subject"] == made.text("id")
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_changes_nothing_and_leaves_no_record() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let (path, _) = console.endpoint("https://shop.example.com/hook").await;
    let wrong = json!({"url": "https://10.0.0.1/"});
    assert_eq!(console.patch(&path, SHOP, wrong).await.status, 422);
    let old = console
        .request(reqwest::Method::DELETE, &path, SHOP)
        .header("if-match", "\"7\"");
    assert_eq!(super::fixture::send(old).await.status, 412);
    let page = console.audit(SHOP, "").await;
    assert_eq!(told(&page), [("shop", "endpoint_created", None)]);
}

#[tokio::test]
async fn without_its_audit_record_nothing_is_done() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let (path, created) = console.endpoint("https://shop.example.com/hook").await;
    let refuse = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    let create = json!({"url": "https://shop.example.com/", "events": ["new_feedback"]});
    for change in [
        "create",
        "change",
        "pause",
        "secret",
        "rotate-secret",
        "delete",
    ] {
        // The next record is refused, and that is the audit's.
        cluster.request_errors(RDKafkaApiKey::Produce, &[refuse]);
        let answer = match change {
            "create" => {
                console
                    .post("/api/v1/endpoints", SHOP, create.clone())
                    .await
            }
            "change" => {
                console
                    .patch(&path, SHOP, json!({"description": "x"}))
                    .await
            }
            "secret" => console.get(&format!("{path}/secret"), SHOP).await,
            "delete" => console.delete(&path, SHOP).await,
            other => {
                console
                    .post(&format!("{path}/{other}"), SHOP, Value::Null)
                    .await
            }
        };
        assert_eq!(answer.status, 503, "{change}: {:?}", answer.body);
        assert!(answer.text("detail").contains("audit"), "{:?}", answer.body);
        assert!(!answer.header("retry-after").is_empty());
        assert!(!answer.body.to_string().contains("whsec_"));
    }
    let list = console.get("/api/v1/endpoints", SHOP).await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        console.get(&path, SHOP).await.header("etag"),
        created.header("etag")
    );
    let page = console.audit(SHOP, "").await;
    assert_eq!(told(&page), [("shop", "endpoint_created", None)]);
    until("it works again", async || {
        console.delete(&path, SHOP).await.status == 204
    })
    .await;
}

#[tokio::test]
async fn pages_go_back_in_time_as_far_as_since() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let (path, _) = console.endpoint("https://shop.example.com/hook").await;
    for round in 0..4 {
        let change = json!({"description": format!("{round}")});
        assert_eq!(console.patch(&path, SHOP, change).await.status, 200);
    }
    let all = console.audit(SHOP, "").await.body["items"].clone();
    assert_eq!(all.as_array().unwrap().len(), 5);
    for token in [SHOP, OPERATOR] {
        let mut seen = Vec::new();
        let mut query = "?limit=2".to_owned();
        loop {
            let page = console.audit(token, &query).await.body;
            seen.extend(page["items"].as_array().unwrap().clone());
            let Some(cursor) = page["next_cursor"].as_str() else {
                break;
            };
            query = format!("?limit=2&cursor={cursor}");
            // What is done meanwhile moves no page.
            console.endpoint("https://shop.example.com/meanwhile").await;
        }
        let first = seen.iter().position(|item| *item == all[0]).unwrap();
        assert_eq!(json!(seen[first..]), all);
    }
    let since = all[3]["at"].as_str().unwrap();
    let page = console.audit(SHOP, &format!("?since={since}")).await;
    let items = page.body["items"].as_array().unwrap();
    assert!(items.contains(&all[3]));
    assert!(
        items
            .iter()
            .all(|item| item["at"].as_str().unwrap() >= since)
    );
    for query in [
        "limit=0",
        "limit=201",
        "cursor=AAAA",
        "since=yesterday",
        "page=2",
    ] {
        let answer = console.get(&format!("/api/v1/audit?{query}"), SHOP).await;
        assert_eq!(answer.status, 400, "{query}");
    }
}
