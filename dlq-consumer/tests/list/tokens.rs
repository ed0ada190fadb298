use domain::EndpointId;
use reqwest::Method;
use serde_json::json;

use crate::bed::{Bed, List, Reply, failure, until};

#[tokio::test(flavor = "multi_thread")]
async fn each_route_answers_only_whom_it_may() {
    let bed = Bed::new();
    let failed = failure(EndpointId::generate(), 1);
    bed.write(&failed).await;
    let list = bed.start().await;
    let path = failed.path();
    let delivery = format!("/webhooks/deliveries/{}/resend", failed.id());
    let place = json!({"topic": "feedback.events", "partition": 0, "offset": 0});
    let job = json!({"action": "resend", "filter": {"reason": "expired"}});
    let started = list.post("/webhooks/resends", &job, "shop").await;
    let one_job = started.location;
    let ended = async || {
        let job = list.call(Method::GET, &one_job, "shop").await;
        job.body["state"] == "done"
    };
    until("the job's end", ended).await;
    let export = "/webhooks/failed/export".to_owned();
    let routes = [
        (Method::GET, "/webhooks/failed".to_owned(), None),
        (Method::GET, "/webhooks/failed/count".to_owned(), None),
        (Method::GET, export, None),
        (Method::GET, path.clone(), None),
        (Method::GET, "/webhooks/resends".to_owned(), None),
        (Method::GET, one_job.clone(), None),
        (Method::DELETE, one_job.clone(), None),
        (Method::POST, "/webhooks/resends".to_owned(), Some(job)),
        (Method::POST, delivery.clone(), Some(place)),
        (Method::POST, format!("{path}/resend"), None),
        (Method::DELETE, path.clone(), None),
    ];

    for (token, expected) in [
        ("", [401; 11]),
        ("wrong", [401; 11]),
        ("widget", [403; 11]),
        (
            "other",
            [200, 200, 200, 404, 200, 404, 404, 202, 404, 404, 404],
        ),
        (
            "operator",
            [200, 200, 200, 200, 200, 200, 409, 202, 202, 404, 404],
        ),
    ] {
        for ((method, path, body), expected) in routes.iter().zip(expected) {
            let reply = match body {
                Some(body) => list.post(path, body, token).await,
                None => list.call(method.clone(), path, token).await,
            };
            assert_eq!(reply.status, expected, "{token:?} {method} {path}");
            if expected >= 400 {
                assert_eq!(reply.kind, "application/problem+json");
            }
        }
        if token == "other" {
            assert_eq!(
                shown(&list, token).await,
                ["0 entries", "0 lines", "1 jobs"]
            );
        }
    }
    list.stop().await;
}

/// What a token sees of everything.
async fn shown(list: &List, token: &str) -> [String; 3] {
    let get = async |path: &str| list.call(Method::GET, path, token).await;
    let items = |reply: Reply| reply.body["items"].as_array().unwrap().len();
    let count = get("/webhooks/failed/count").await.body["count"].to_string();
    assert_eq!(count, items(get("/webhooks/failed").await).to_string());
    let export = get("/webhooks/failed/export").await;
    let jobs = items(get("/webhooks/resends").await);
    [
        format!("{count} entries"),
        format!("{} lines", export.text.lines().count()),
        format!("{jobs} jobs"),
    ]
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
