//! Input that is refused, and what is said about it.

use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{Console, SHOP, cluster, send, settings};

const LIST: &str = "/api/v1/endpoints";

#[tokio::test]
async fn urls_that_may_not_be_reached_are_refused_at_creation_and_at_change() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let (path, _) = console.endpoint("https://shop.example.com/hook").await;
    for url in [
        "",
        "shop.example.com/hook",
        "http://shop.example.com/hook",
        "ftp://shop.example.com/hook",
        "https://shop.example.com:22/hook",
        "https:///hook",
        "https://user:password@shop.example.com/",
        "https://shop.example.com\\@10.0.0.1/",
        "https://shop.example.com/a b",
        "https://intranet/hook",
        "https://localhost/hook",
        "https://console.default.svc/hook",
        "https://node.cluster.local/hook",
        "https://printer.local/hook",
        "https://metadata.google.internal/hook",
        "https://10.0.0.1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://0x7f.1/hook",
        "https://2130706433/hook",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "http://localhost:9000/hook",
    ] {
        let create = json!({"url": url, "events": ["new_feedback"]});
        let refused = console.post(LIST, SHOP, create).await;
        assert_eq!(refused.status, 422, "{url}");
        assert_eq!(refused.wrong_paths(), ["$.url"], "{url}");
        let refused = console.patch(&path, SHOP, json!({"url": url})).await;
        assert_eq!(
            (refused.status.as_u16(), refused.wrong_paths()),
            (422, vec!["$.url"]),
            "{url}"
        );
    }
    let left = console.get(LIST, SHOP).await;
    assert_eq!(left.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        left.body["items"][0]["url"],
        "https://shop.example.com/hook"
    );
}

#[tokio::test]
async fn each_wrong_field_is_named_with_its_path() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let (path, _) = console.endpoint("https://shop.example.com/hook").await;
    let create = json!({"url": "https://shop.example.com/", "events": ["new_feedback"]});
    let many: Value = (0..21)
        .map(|n| (format!("X-{n}"), json!("1")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for (field, value, wrong) in [
        ("url", Value::Null, "$.url"),
        ("url", json!(7), "$.url"),
        ("events", json!([]), "$.events"),
        ("events", json!("new_feedback"), "$.events"),
        (
            "events",
            json!(["new_feedback", "order_placed"]),
            "$.events[1]",
        ),
        (
            "events",
            json!(["new_feedback", "new_feedback"]),
            "$.events[1]",
        ),
        ("description", json!("x".repeat(501)), "$.description"),
        ("description", json!("two\nlines"), "$.description"),
        ("max_per_second", json!(0), "$.max_per_second"),
        ("max_per_second", json!(1.5), "$.max_per_second"),
        ("max_per_second", json!(-1), "$.max_per_second"),
        (
            "max_per_second",
            json!(5_000_000_000_u64),
            "$.max_per_second",
        ),
        ("headers", json!({"Host": "a.example"}), "$.headers"),
        (
            "headers",
            json!({"X-FeedbackPro-Signature": "x"}),
            "$.headers",
        ),
        ("headers", json!({"X-A": "a\r\nX-B: b"}), "$.headers"),
        ("headers", json!({"X-A": 1}), "$.headers.X-A"),
        ("headers", many, "$.headers"),
        ("secret", json!("whsec_mine"), "$.secret"),
        ("state", json!("enabled"), "$.state"),
    ] {
        let mut body = create.clone();
        body[field] = value.clone();
        let refused = console.post(LIST, SHOP, body).await;
        assert_eq!(refused.status, 422, "{field}: {value}");
        assert_eq!(refused.wrong_paths(), [wrong], "{:?}", refused.body);
        let refused = console
            .patch(&path, SHOP, json!({field: value.clone()}))
            .await;
        assert_eq!(refused.status, 422, "{field}: {value}");
        assert_eq!(refused.wrong_paths(), [wrong], "{:?}", refused.body);
    }
    let refused = console
        .post(LIST, SHOP, json!({"events": [], "max_per_second": 0}))
        .await;
    assert_eq!(
        refused.wrong_paths(),
        ["$.url", "$.events", "$.max_per_second"]
    );
    // A wrong account is nobody's.
    let refused = console.post(LIST, SHOP, json!({"account": "a/b"})).await;
    assert_eq!(refused.wrong_paths(), ["$.account"]);
}

#[tokio::test]
async fn bodies_that_are_not_json_or_too_long_are_told_apart() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let post = |body: Vec<u8>| send(console.request(Method::POST, LIST, SHOP).body(body));
    for (body, status) in [
        (b"".to_vec(), 400),
        (b"{".to_vec(), 400),
        (b"{\"url\": \"\xff\"}".to_vec(), 400),
        ("[".repeat(2_000).into_bytes(), 400),
        (b"[]".to_vec(), 422),
        (b"{} {}".to_vec(), 400),
        (vec![b' '; 70_000], 413),
        (vec![b'x'; 10_000_000], 413),
    ] {
        let answer = post(body.clone()).await;
        let start = String::from_utf8_lossy(&body[..body.len().min(20)]).into_owned();
        assert_eq!(answer.status, status, "{start}: {:?}", answer.body);
    }
    for (method, path, status) in [
        (Method::GET, "/api/v1/nothing", 404),
        (Method::PUT, LIST, 405),
        (Method::GET, "/api/v1/endpoints/ep_1", 404),
        (Method::GET, "/api/v1/endpoints/%ff", 404),
    ] {
        let answer = send(console.request(method, path, SHOP)).await;
        assert_eq!(answer.status, status, "{path}");
    }
}
