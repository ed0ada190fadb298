//! The list and its limits.

use serde_json::{Value, json};

use super::fixture::{Console, OPERATOR, OTHER, SHOP, cluster, settings};

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn pages_follow_the_order_of_creation_and_a_cursor_outlives_its_endpoint() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let mut made = Vec::new();
    for number in 0..5 {
        let url = format!("https://shop.example.com/{number}");
        made.push(console.endpoint(&url).await.1.text("id").to_owned());
    }
    let first = console.get("/api/v1/endpoints?limit=2", SHOP).await;
    assert_eq!(ids(&first.body), made[..2]);
    let deleted = format!("/api/v1/endpoints/{}", made[1]);
    assert_eq!(console.delete(&deleted, SHOP).await.status, 204);
    let next = |page: &Value| {
        let cursor = page["next_cursor"].as_str().unwrap();
        format!("/api/v1/endpoints?limit=2&cursor={cursor}")
    };
    let second = console.get(&next(&first.body), SHOP).await;
    assert_eq!(ids(&second.body), made[2..4]);
    let third = console.get(&next(&second.body), SHOP).await;
    assert_eq!(ids(&third.body), made[4..]);
    assert_eq!(third.body["next_cursor"], Value::Null);

    for query in ["limit=0", "limit=201", "limit=x", "cursor=AAAA", "page=2"] {
        let answer = console
            .get(&format!("/api/v1/endpoints?{query}"), SHOP)
            .await;
        assert_eq!(answer.status, 400, "{query}");
    }
}

#[tokio::test]
async fn an_operator_pages_through_all_accounts_or_one() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let mut made = Vec::new();
    for token in [SHOP, OTHER, SHOP] {
        let body = json!({"url": "https://shop.example.com/", "events": ["new_feedback"]});
        let answer = console.post("/api/v1/endpoints", token, body).await;
        made.push(answer.text("id").to_owned());
    }
    let mut seen = Vec::new();
    let mut path = "/api/v1/endpoints?limit=1".to_owned();
    loop {
        let page = console.get(&path, OPERATOR).await.body;
        seen.extend(ids(&page));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/v1/endpoints?limit=1&cursor={cursor}");
    }
    let [a, b, c] = made.try_into().unwrap();
    assert_eq!(seen, [b.clone(), a.clone(), c.clone()], "accounts by name");
    let one = console
        .get("/api/v1/endpoints?account=shop", OPERATOR)
        .await;
    assert_eq!(ids(&one.body), [a, c]);
    let own = console.get("/api/v1/endpoints", OTHER).await;
    assert_eq!(ids(&own.body), [b]);
}

#[tokio::test]
async fn an_account_has_as_many_endpoints_as_it_may_also_when_asked_at_once() {
    let cluster = cluster();
    let mut settings = settings(&cluster.bootstrap_servers());
    settings.limits.endpoints_per_account = 2;
    let console = Console::start(settings).await;
    let create = |token| {
        let body = json!({"url": "https://shop.example.com/", "events": ["new_feedback"]});
        console.post("/api/v1/endpoints", token, body)
    };
    let (a, b, c) = tokio::join!(create(SHOP), create(SHOP), create(SHOP));
    let mut statuses = [a, b, c].map(|answer| answer.status.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 409]);
    assert_eq!(create(OTHER).await.status, 201, "each account for itself");
    let full = create(SHOP).await;
    assert_eq!(full.text("type"), "/problems/too-many-endpoints");
    let page = console.get("/api/v1/endpoints", SHOP).await.body;
    let path = format!("/api/v1/endpoints/{}", ids(&page)[0]);
    assert_eq!(console.delete(&path, SHOP).await.status, 204);
    assert_eq!(create(SHOP).await.status, 201);
}
