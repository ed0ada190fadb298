use domain::EndpointId;
use reqwest::Method;

use crate::bed::{Bed, failure};

#[tokio::test(flavor = "multi_thread")]
async fn each_route_answers_only_whom_it_may() {
    let bed = Bed::new();
    let failed = failure(EndpointId::generate(), 1);
    bed.write(&failed).await;
    let list = bed.start().await;
    let path = failed.path();
    let routes = [
        (Method::GET, "/webhooks/failed".to_owned()),
        (Method::GET, path.clone()),
        (Method::POST, format!("{path}/resend")),
        (Method::DELETE, path.clone()),
    ];

    for (token, expected) in [
        ("", [401; 4]),
        ("wrong", [401; 4]),
        ("widget", [403; 4]),
        ("other", [200, 404, 404, 404]),
        ("operator", [200, 200, 202, 404]),
    ] {
        for ((method, path), expected) in routes.iter().zip(expected) {
            let reply = list.call(method.clone(), path, token).await;
            assert_eq!(reply.status, expected, "{token:?} {method} {path}");
            if expected >= 400 {
                assert_eq!(reply.kind, "application/problem+json");
            }
        }
        if token == "other" {
            let reply = list.call(Method::GET, "/webhooks/failed", token).await;
            assert_eq!(reply.body["items"], serde_json::json!([]));
        }
    }
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_every_account_or_one() {
    let bed = Bed::new();
    let endpoint = EndpointId::generate();
    for (account, at) in [("shop", 1), ("other", 2)] {
        bed.write(&failure(endpoint, at).of(account)).await;
    }
    let list = bed.start().await;

    let accounts = async |path: &str| {
        let reply = list.call(Method::GET, path, "operator").await;
        let items = reply.body["items"].as_array().unwrap().clone();
        let account = |it: &serde_json::Value| it["account"].as_str().unwrap().to_owned();
        items.iter().map(account).collect::<Vec<_>>()
    };

    assert_eq!(accounts("/webhooks/failed").await, ["shop", "other"]);
    assert_eq!(accounts("/webhooks/failed?account=other").await, ["other"]);
    list.stop().await;
}
