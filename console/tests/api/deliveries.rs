//! What became of deliveries: found, shown with what comes next, and what they
//! carry.

use std::time::Duration;

use domain::{AfterAttempt, DeadLetterReason, EndpointId, Timestamp};
use kafka::Stored;
use serde_json::{Value, json};

use super::fixture::{Console, INGEST, OPERATOR, OTHER, SHOP, cluster, settings};
use super::written::{Written, each, holds};

fn retry(after: Duration) -> AfterAttempt {
    AfterAttempt::Retry {
        due_at: Timestamp::now() + after,
        tier: "2m".parse().unwrap(),
    }
}

#[tokio::test]
async fn deliveries_and_figures_are_shown_to_their_account_and_operators_only() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let console = Console::start(settings(&brokers)).await;
    let written = Written::on(&brokers);
    let event = written.event("shop").await;
    let endpoint = EndpointId::generate();
    let id = written
        .attempt(&event, endpoint, 1, AfterAttempt::Delivered)
        .await;
    holds(&console, 1).await;
    let one = format!("/api/v1/deliveries/{id}");
    let payload = format!("{one}/payload");
    let list = "/api/v1/deliveries";
    let of_event = format!("{list}?event_id={}", event.id);
    let of_endpoint = format!("{list}?endpoint={endpoint}");
    let sums = "/api/v1/statistics";
    let of_one = format!("{sums}?endpoint={endpoint}");
    let of_each = format!("{sums}/endpoints");
    // What the answer shows of the delivery: itself, or a count of it.
    let shown = |body: &Value| match (&body["items"], &body["total"]["delivered"]) {
        (Value::Array(items), _) => u64::try_from(items.len()).unwrap(),
        (_, Value::Number(count)) => count.as_u64().unwrap(),
        (_, _) => 1,
    };
    for (path, others) in [
        (one.as_str(), 404),
        (payload.as_str(), 404),
        (list, 200),
        (of_event.as_str(), 200),
        (of_endpoint.as_str(), 200),
        (sums, 200),
        (of_one.as_str(), 200),
    ] {
        for (token, status) in [
            ("", 401),
            ("unknown", 401),
            (INGEST, 403),
            (OTHER, others),
            (SHOP, 200),
            (OPERATOR, 200),
        ] {
            let answer = console.get(path, token).await;
            assert_eq!(answer.status, status, "{path} with {token:?}");
            if status == 200 {
                let count = u64::from(token != OTHER);
                assert_eq!(shown(&answer.body), count, "{path} with {token:?}");
            }
        }
    }
    for (token, status) in [("", 401), (INGEST, 403), (OTHER, 200), (SHOP, 200)] {
        assert_eq!(console.get(&of_each, token).await.status, status);
    }
    for path in [list, sums, of_each.as_str()] {
        for (token, status, count) in [(OTHER, 403, 0), (SHOP, 200, 1), (OPERATOR, 200, 1)] {
            let answer = console.get(&format!("{path}?account=shop"), token).await;
            assert_eq!(answer.status, status, "{path} with {token:?}");
            if status == 200 && path != of_each {
                assert_eq!(shown(&answer.body), count, "{path} with {token:?}");
            }
        }
        let none = console
            .get(&format!("{path}?account=other"), OPERATOR)
            .await;
        assert_eq!(shown(&none.body), 0, "{path}");
    }
}

#[tokio::test]
async fn a_delivery_tells_what_happened_and_what_comes_next() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let console = Console::start(settings(&brokers)).await;
    let written = Written::on(&brokers);
    let event = written.event("shop").await;
    let endpoint = EndpointId::generate();
    let after = retry(Duration::from_secs(120));
    let AfterAttempt::Retry { due_at, .. } = after else {
        unreachable!("it is one");
    };
    let id = written.attempt(&event, endpoint, 2, after).await;
    holds(&console, 1).await;

    let path = format!("/api/v1/deliveries/{id}");
    let shown = console.get(&path, SHOP).await.body;
    for (field, expected) in [
        ("id", json!(id.to_string())),
        ("account", json!("shop")),
        ("event", json!("rating_submitted")),
        ("state", json!("waiting")),
        ("next", json!("retry")),
        ("due_at", json!(due_at.to_string())),
        ("tier", json!("2m")),
        ("next_attempt", json!(3)),
        ("attempts", json!(1)),
        ("last_status", json!(503)),
        ("last_error", json!("status: 503 Service Unavailable")),
        ("is_cut", json!(false)),
    ] {
        assert_eq!(shown[field], expected, "{field} of {shown}");
    }
    let record = &shown["records"][0];
    assert_eq!(record["attempt"], 2);
    assert_eq!(record["response"], "<b>told</b>");
    // With these it can be sent again.
    assert_eq!(record["topic"], "feedback.events");
    assert_eq!(record["offset"], event.place().offset);

    written
        .attempt(&event, endpoint, 3, AfterAttempt::Delivered)
        .await;
    holds(&console, 2).await;
    let shown = console.get(&path, SHOP).await.body;
    assert_eq!(shown["state"], "delivered");
    assert_eq!(shown["next_attempt"], Value::Null);
    assert_eq!(shown["records"].as_array().unwrap().len(), 2);
    assert_eq!(shown["attempts"], 2);
}

#[tokio::test]
async fn the_payload_is_what_was_delivered_byte_by_byte() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let console = Console::start(settings(&brokers)).await;
    let written = Written::on(&brokers);
    let (event, another) = (written.event("shop").await, written.event("shop").await);
    let foreign = written.event_with(event.id, "other").await;
    let endpoint = EndpointId::generate();
    let done = || AfterAttempt::Delivered;
    let right = written.attempt(&event, endpoint, 1, done()).await;
    // As they would be after feedback.events was made anew.
    let nowhere = Stored {
        partition: 0,
        offset: 4_711,
    };
    let mut wrong = Vec::new();
    for place in [another.place(), foreign.place(), nowhere] {
        let endpoint = EndpointId::generate();
        let id = written.attempt_from(&event, place, endpoint, 1, done());
        wrong.push(id.await);
    }
    holds(&console, 4).await;

    let path = format!("/api/v1/deliveries/{right}/payload");
    let answer = console.request(reqwest::Method::GET, &path, SHOP);
    let mut answer = answer.send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json; charset=utf-8");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cache-control"), "no-store");
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        body.extend_from_slice(&chunk);
    }
    assert_eq!(body, event.bytes);
    for id in wrong {
        let path = format!("/api/v1/deliveries/{id}/payload");
        assert_eq!(console.get(&path, SHOP).await.status, 404);
        assert_eq!(console.get(&path, OPERATOR).await.status, 404);
    }
}

#[tokio::test]
async fn the_list_is_searched_and_goes_on_where_a_page_ended() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let console = Console::start(settings(&brokers)).await;
    let written = Written::on(&brokers);
    let begun = Timestamp::now();
    let endpoints = [EndpointId::generate(), EndpointId::generate()];
    let given_up = AfterAttempt::DeadLetter {
        reason: DeadLetterReason::AttemptsExhausted,
    };
    let event = written.event("shop").await;
    let mut ids = Vec::new();
    for (endpoint, after) in [
        (endpoints[0], AfterAttempt::Delivered),
        (endpoints[1], given_up.clone()),
    ] {
        ids.push(
            written
                .attempt(&event, endpoint, 1, after)
                .await
                .to_string(),
        );
    }
    let later = written.event("shop").await;
    for after in [retry(Duration::from_secs(120)), given_up] {
        ids.push(
            written
                .attempt(&later, endpoints[0], 1, after)
                .await
                .to_string(),
        );
    }
    let last = ids.pop().unwrap();
    assert_eq!(ids.last(), Some(&last));
    holds(&console, 4).await;

    let past = Timestamp::from_millis(begun.millis() - 60_000);
    for (query, expected) in [
        (String::new(), vec![2, 1, 0]),
        (format!("event_id={}", event.id), vec![1, 0]),
        (format!("endpoint={}", endpoints[0]), vec![2, 0]),
        (
            format!("event_id={}&endpoint={}", event.id, endpoints[1]),
            vec![1],
        ),
        ("state=failed".to_owned(), vec![2, 1]),
        ("state=delivered".to_owned(), vec![0]),
        ("state=waiting".to_owned(), vec![]),
        ("event=rating_submitted&state=delivered".to_owned(), vec![0]),
        ("event=new_feedback".to_owned(), vec![]),
        (format!("since={past}"), vec![2, 1, 0]),
        (format!("until={past}"), vec![]),
    ] {
        let page = console
            .get(&format!("/api/v1/deliveries?{query}"), SHOP)
            .await;
        assert_eq!(page.status, 200, "{query}: {:?}", page.body);
        let mut found = each(&page.body, "id");
        let mut expected: Vec<&str> = expected.iter().map(|at| ids[*at].as_str()).collect();
        // Those of one moment stand in no certain order.
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{query}");
    }
    let mut found = Vec::new();
    let mut next = String::new();
    for _ in 0..3 {
        let path = format!("/api/v1/deliveries?limit=1{next}");
        let page = console.get(&path, SHOP).await.body;
        found.extend(each(&page, "id").into_iter().map(str::to_owned));
        next = match page["next_cursor"].as_str() {
            Some(cursor) => format!("&cursor={cursor}"),
            None => String::new(),
        };
    }
    assert_eq!(next, "", "the list ended");
    found.sort_unstable();
    ids.sort_unstable();
    assert_eq!(found, ids);

    for wrong in [
        "limit=0",
        "limit=201",
        "cursor=%21",
        "state=lost",
        "event=purchase",
        "endpoint=ep_1",
        "event_id=1",
        "since=yesterday",
        "unknown=1",
    ] {
        let path = format!("/api/v1/deliveries?{wrong}");
        assert_eq!(console.get(&path, SHOP).await.status, 400, "{wrong}");
    }
    for id in ["x", "evt_1.ep_1", "%00"] {
        let path = format!("/api/v1/deliveries/{id}");
        assert_eq!(console.get(&path, SHOP).await.status, 404, "{id}");
    }
}
