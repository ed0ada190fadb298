//! The filter of an endpoint, as it is set and shown. What it lets through is
//! the dispatcher's.

use serde_json::{Value, json};

use super::fixture::{Console, SHOP, cluster, settings};

const LIST: &str = "/api/v1/endpoints";

fn create(filter: &Value) -> Value {
    json!({
        "url": "https://shop.example.com/",
        "events": ["rating_submitted", "nps_calculated"],
        "filter": filter,
    })
}

#[tokio::test]
async fn a_filter_is_set_shown_replaced_and_removed() {
    let cluster = cluster();
    let settings = settings(&cluster.bootstrap_servers());
    let console = Console::start(settings.clone()).await;
    let low = json!([
        {"field": "score", "operator": "at_most", "value": 2},
        {"field": "segment", "operator": "equals", "value": "Detractor"},
        {"field": "product_sku", "operator": "starts_with", "value": "BW-"},
    ]);
    let created = console.post(LIST, SHOP, create(&low)).await;
    assert_eq!(created.status, 201, "{:?}", created.body);
    assert_eq!(created.body["filter"], low);
    let path = format!("{LIST}/{}", created.text("id"));
    // A console that starts later reads it from the topic.
    let another = Console::start(settings).await;
    assert_eq!(another.get(&path, SHOP).await.body["filter"], low);
    assert_eq!(
        console.get(LIST, SHOP).await.body["items"][0]["filter"],
        low
    );

    let other = console
        .patch(&path, SHOP, json!({"description": "x"}))
        .await;
    assert_eq!(other.body["filter"], low, "what is not there stays");
    let high = json!([{"field": "score", "operator": "at_least", "value": 4}]);
    let changed = console.patch(&path, SHOP, json!({"filter": high})).await;
    assert_eq!(changed.body["filter"], high);
    let same = console.patch(&path, SHOP, json!({"filter": high})).await;
    assert_eq!(
        same.header("etag"),
        changed.header("etag"),
        "nothing to change"
    );
    let removed = console.patch(&path, SHOP, json!({"filter": []})).await;
    assert_eq!(
        (removed.status.as_u16(), &removed.body["filter"]),
        (200, &json!([]))
    );
    let (_, without) = console.endpoint("https://shop.example.com/").await;
    assert_eq!(without.body["filter"], json!([]));
}

#[tokio::test]
async fn what_is_wrong_in_a_filter_is_named_with_its_path() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let (path, _) = console.endpoint("https://shop.example.com/hook").await;
    let good = json!({"field": "score", "operator": "at_most", "value": 2});
    let with = |field: &str, value: Value| {
        let mut condition = good.clone();
        condition[field] = value;
        json!([good, condition])
    };
    for (filter, wrong) in [
        (with("field", json!("stars")), "$.filter[1].field"),
        (with("field", json!(3)), "$.filter[1].field"),
        (with("field", json!("comment")), "$.filter[1].operator"),
        (with("operator", json!("<=")), "$.filter[1].operator"),
        (
            with("operator", json!("starts_with")),
            "$.filter[1].operator",
        ),
        (with("value", json!(6)), "$.filter[1].value"),
        (with("value", json!("2")), "$.filter[1].value"),
        (with("value", json!(1.5)), "$.filter[1].value"),
        (with("value", json!(-1)), "$.filter[1].value"),
        (with("value", json!([1, 2])), "$.filter[1].value"),
        (with("value", Value::Null), "$.filter[1].value"),
        (with("not", json!(true)), "$.filter[1].not"),
        (
            json!([{"field": "score", "operator": "at_most"}]),
            "$.filter[0].value",
        ),
        (json!([["score", "at_most", 2]]), "$.filter[0]"),
        (json!(vec![good.clone(); 21]), "$.filter"),
        (json!({"score": 2}), "$.filter"),
        (Value::Null, "$.filter"),
    ] {
        for answer in [
            console.post(LIST, SHOP, create(&filter)).await,
            console.patch(&path, SHOP, json!({"filter": filter})).await,
        ] {
            assert_eq!(answer.status, 422, "{filter}");
            assert_eq!(answer.wrong_paths(), [wrong], "{:?}", answer.body);
        }
    }
    let told = console
        .post(LIST, SHOP, create(&with("value", json!(6))))
        .await;
    assert_eq!(
        told.body["errors"][0],
        json!({
            "path": "$.filter[1].value",
            "detail": "found 6",
            "allowed": "a whole number from 1 to 5",
        })
    );
}

#[tokio::test]
async fn a_condition_that_no_chosen_event_carries_is_refused() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let comment = json!([{"field": "comment", "operator": "starts_with", "value": "!"}]);
    let refused = console.post(LIST, SHOP, create(&comment)).await;
    assert_eq!(
        refused.wrong_paths(),
        ["$.filter[0].field"],
        "{:?}",
        refused.body
    );

    let segment = json!([{"field": "segment", "operator": "equals", "value": "Detractor"}]);
    let created = console.post(LIST, SHOP, create(&segment)).await;
    let path = format!("{LIST}/{}", created.text("id"));
    // Neither half may leave the other without effect.
    let events = json!({"events": ["rating_submitted"]});
    let refused = console.patch(&path, SHOP, events.clone()).await;
    assert_eq!(
        (refused.status.as_u16(), refused.wrong_paths()),
        (422, vec!["$.filter[0].field"])
    );
    let refused = console.patch(&path, SHOP, json!({"filter": comment})).await;
    assert_eq!(refused.wrong_paths(), ["$.filter[0].field"]);
    assert_eq!(
        console.get(&path, SHOP).await.header("etag"),
        created.header("etag")
    );
    let mut both = events;
    both["filter"] = json!([{"field": "score", "operator": "at_most", "value": 2}]);
    assert_eq!(console.patch(&path, SHOP, both).await.status, 200);
}
