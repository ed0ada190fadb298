//! Who may do what.

use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{Console, INGEST, OPERATOR, OTHER, SHOP, cluster, send, settings};

#[tokio::test]
async fn each_route_is_open_to_its_account_and_operators_only() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    // (method, path behind the endpoint, body, status for those who may)
    let routes = [
        (Method::GET, "", None, 200),
        (Method::PATCH, "", Some(json!({"description": "mine"})), 200),
        (Method::POST, "/pause", None, 200),
        (Method::POST, "/resume", None, 200),
        (Method::POST, "/rotate-secret", None, 200),
        (Method::GET, "/secret", None, 200),
        (
            Method::POST,
            "/test",
            Some(json!({"event": "new_feedback"})),
            200,
        ),
        (
            Method::POST,
            "/test/preview",
            Some(json!({"event": "new_feedback"})),
            200,
        ),
        (Method::DELETE, "", None, 204),
    ];
    for (method, action, body, may) in routes {
        for (token, status) in [
            ("", 401),
            ("unknown", 401),
            (INGEST, 403),
            (OTHER, 404),
            (SHOP, may),
            (OPERATOR, may),
        ] {
            let (path, _) = console.endpoint("http://127.0.0.1:9/closed").await;
            let mut request = console.request(method.clone(), &format!("{path}{action}"), token);
            if let Some(body) = &body {
                request = request.json(body);
            }
            let answer = send(request).await;
            assert_eq!(
                answer.status, status,
                "{method} {action} with {token:?}: {:?}",
                answer.body
            );
            if status == 401 {
                assert_eq!(answer.header("www-authenticate"), "Bearer");
            }
            let after = console.get(&path, SHOP).await;
            if status >= 400 {
                let etag = after.header("etag");
                assert_eq!(
                    etag, "\"1\"",
                    "{method} {action} with {token:?} changed nothing"
                );
            }
        }
    }
}

#[tokio::test]
async fn test_events_before_an_endpoint_is_saved_are_for_accounts_and_operators() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    for path in ["/api/v1/test-events", "/api/v1/test-events/preview"] {
        // An operator's are counted for somebody.
        let nobody = if path.ends_with("preview") { 200 } else { 422 };
        for (token, account, status) in [
            ("", None, 401),
            ("unknown", None, 401),
            (INGEST, None, 403),
            (INGEST, Some("shop"), 403),
            (SHOP, None, 200),
            (SHOP, Some("shop"), 200),
            (SHOP, Some("other"), 403),
            (OTHER, Some("shop"), 403),
            (OPERATOR, None, nobody),
            (OPERATOR, Some("third"), 200),
        ] {
            let mut body = json!({"url": "http://127.0.0.1:9/closed", "event": "new_feedback"});
            if let Some(account) = account {
                body["account"] = account.into();
            }
            let answer = console.post(path, token, body).await;
            assert_eq!(answer.status, status, "{path} {token} for {account:?}");
        }
    }
}

#[tokio::test]
async fn the_audit_shows_what_the_token_reaches() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    console.endpoint("https://shop.example.com/").await;
    for (token, query, status, count) in [
        ("", "", 401, 0),
        ("unknown", "", 401, 0),
        (INGEST, "", 403, 0),
        (SHOP, "", 200, 1),
        (SHOP, "?account=shop", 200, 1),
        (OTHER, "", 200, 0),
        (OTHER, "?account=shop", 403, 0),
        (OPERATOR, "", 200, 1),
        (OPERATOR, "?account=shop", 200, 1),
        (OPERATOR, "?account=other", 200, 0),
    ] {
        let answer = console.get(&format!("/api/v1/audit{query}"), token).await;
        assert_eq!(answer.status, status, "{token} {query}");
        let items = answer.body["items"].as_array().map_or(0, Vec::len);
        assert_eq!(items, count, "{token} {query}");
    }
}

#[tokio::test]
async fn lists_and_creation_reach_as_far_as_the_token() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let body = |account: Option<&str>| {
        let mut body = json!({"url": "https://shop.example.com/", "events": ["new_feedback"]});
        if let Some(account) = account {
            body["account"] = account.into();
        }
        body
    };
    let list = "/api/v1/endpoints";
    for (token, account, status) in [
        ("", None, 401),
        (INGEST, None, 403),
        (SHOP, None, 201),
        (SHOP, Some("shop"), 201),
        (SHOP, Some("other"), 403),
        (OPERATOR, None, 422),
        (OPERATOR, Some("third"), 201),
    ] {
        let answer = console.post(list, token, body(account)).await;
        assert_eq!(answer.status, status, "{token} for {account:?}");
        if status == 201 {
            assert_eq!(answer.text("account"), account.unwrap_or("shop"));
        }
    }
    let by_query = console
        .post("/api/v1/endpoints?account=third", OPERATOR, body(None))
        .await;
    assert_eq!(
        (by_query.status.as_u16(), by_query.text("account")),
        (201, "third")
    );

    for (token, query, status, count) in [
        ("", "", 401, 0),
        (INGEST, "", 403, 0),
        (SHOP, "", 200, 2),
        (OTHER, "", 200, 0),
        (SHOP, "?account=third", 403, 0),
        (OPERATOR, "", 200, 4),
        (OPERATOR, "?account=third", 200, 2),
    ] {
        let answer = console.get(&format!("{list}{query}"), token).await;
        assert_eq!(answer.status, status, "{token} {query}");
        let items = answer.body["items"].as_array().map_or(0, Vec::len);
        assert_eq!(items, count, "{token} {query}");
    }
    for (token, status) in [("", 401), (INGEST, 403), (SHOP, 200), (OPERATOR, 200)] {
        let answer = console.get("/api/v1/retry-policy", token).await;
        assert_eq!(answer.status, status);
        if status == 200 {
            let policy = json!({"schedule": ["15s", "2m", "10m", "1h", "6h"], "timeout": "5s"});
            assert_eq!(answer.body, policy);
        }
    }
    // No token is needed for health, and none is told anything more.
    assert!(console.health.ready().is_ok());
    let requests = console.metric("feedbackpro_console_requests_total").await;
    let listed = requests
        .iter()
        .any(|line| line.contains("route=\"/api/v1/endpoints\""));
    assert!(listed, "{requests:?}");
    assert_eq!(
        console.get("/api/v1/endpoints/ep_0", "").await.body["errors"],
        Value::Null
    );
}
