//! Figures, and that pages are told when they have changed.

use std::time::Duration;

use domain::{AfterAttempt, DeadLetterReason, DeferReason, Timestamp};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::fixture::{Console, INGEST, OPERATOR, OTHER, SHOP, cluster, settings};
use super::written::{Written, holds};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn figures_are_what_the_attempts_add_up_to() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let console = Console::start(settings(&brokers)).await;
    let (path, _) = console.endpoint("https://shop.example.com/hook").await;
    let endpoint = path.rsplit('/').next().unwrap().parse().unwrap();
    let written = Written::on(&brokers);
    let due_at = Timestamp::now() + Duration::from_secs(120);
    let tier = "2m".parse().unwrap();
    for after in [
        AfterAttempt::Delivered,
        AfterAttempt::Delivered,
        AfterAttempt::Delivered,
        AfterAttempt::Retry { due_at, tier },
        AfterAttempt::Deferred {
            due_at: due_at + Duration::from_secs(1),
            tier,
            reason: DeferReason::Paused,
        },
        AfterAttempt::DeadLetter {
            reason: DeadLetterReason::Expired,
        },
    ] {
        let event = written.event("shop").await;
        written.attempt(&event, endpoint, 1, after).await;
    }
    holds(&console, 6).await;

    for (range, step, steps) in [("1h", 60, 60), ("24h", 900, 96), ("7d", 7_200, 84)] {
        let path = format!("/api/v1/statistics?range={range}");
        let shown = console.get(&path, SHOP).await.body;
        assert_eq!(shown["range"], range);
        assert_eq!(shown["step_seconds"], step);
        assert_eq!(shown["points"].as_array().unwrap().len(), steps);
        let total = json!({
            "attempts": 4, "delivered": 3, "retry": 1, "deferred": 1,
            "dead_letter": 1, "dead_letter_without_attempt": 1,
            "success_rate": 0.75, "p50_ms": 12, "p95_ms": 12,
        });
        assert_eq!(shown["total"], total);
        let points = shown["points"].as_array().unwrap();
        let delivered: u64 = points
            .iter()
            .map(|point| point["delivered"].as_u64().unwrap())
            .sum();
        assert_eq!(delivered, 3);
        let waiting = json!([{"tier": "2m", "deliveries": 2, "next_due": due_at.to_string()}]);
        assert_eq!(shown["waiting"], waiting);
        assert_eq!(shown["index"], json!({"state": "current"}));

        let path = format!("/api/v1/statistics/endpoints?range={range}");
        let shown = console.get(&path, SHOP).await.body;
        let figures = &shown["items"][0];
        assert_eq!(figures["delivered"], 3);
        assert_eq!(figures["waiting"], 2);
        assert_eq!(figures["success_rate"], 0.75);
        assert!(figures["last_success"].is_string());
        assert_eq!(shown["next_cursor"], Value::Null);
    }
    // What waits for an endpoint that is not there any more never comes.
    assert_eq!(console.delete(&path, SHOP).await.status, 204);
    let shown = console.get("/api/v1/statistics", SHOP).await.body;
    assert_eq!(shown["waiting"], json!([]));
    for wrong in ["range=2h", "endpoint=1", "unknown=1"] {
        let path = format!("/api/v1/statistics?{wrong}");
        assert_eq!(console.get(&path, SHOP).await.status, 400, "{wrong}");
    }
}

/// The number of the next change that a stream tells; comments that keep it
/// alive are left out.
async fn change(response: &mut Response) -> Option<u64> {
    let reading = async {
        loop {
            let chunk = response.chunk().await.unwrap()?;
            let text = String::from_utf8(chunk.to_vec()).unwrap();
            if !text.starts_with(':') {
                let number = text.strip_prefix("event: change\ndata: ").unwrap();
                return Some(number.trim().parse().unwrap());
            }
        }
    };
    tokio::time::timeout(SOON, reading).await.unwrap()
}

#[tokio::test]
async fn who_follows_changes_is_told_of_its_own_and_at_once_when_it_begins() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let console = Console::start(settings(&brokers)).await;
    holds(&console, 0).await;
    let path = "/api/v1/changes";
    for (query, token, status) in [
        ("", "", 401),
        ("", INGEST, 403),
        ("?account=shop", OTHER, 403),
    ] {
        let answer = console.get(&format!("{path}{query}"), token).await;
        assert_eq!(answer.status, status);
    }
    let mut streams = Vec::new();
    for token in [SHOP, OTHER, OPERATOR] {
        let request = console.request(Method::GET, path, token);
        let mut response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let first = change(&mut response).await.unwrap();
        streams.push((response, first));
    }
    let written = Written::on(&brokers);
    let event_of_shop = written.event("shop").await;
    let endpoint = domain::EndpointId::generate();
    let done = AfterAttempt::Delivered;
    written.attempt(&event_of_shop, endpoint, 1, done).await;
    let mut told = 0;
    for follower in [0, 2] {
        let (response, first) = &mut streams[follower];
        told = change(response).await.unwrap();
        assert!(told > *first);
    }
    // At the stop all end. The other account heard of nothing by then, but of
    // what concerned everybody before.
    console.stopped().await;
    while let Some(number) = change(&mut streams[1].0).await {
        assert!(number < told);
    }
}
