//! What people do with endpoints while deliveries are under way.

use std::collections::BTreeSet;
use std::time::Duration;

use e2e::kafka::NewRecord;
use e2e::settings::tokens;
use e2e::{Answer, Binary, Broker, Receiver, Stack, events};
use reqwest::Method;
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(30);
const RATING: &[&str] = &["rating_submitted"];

/// Waits until the dispatcher knows what was changed so far. All endpoints are in one partition:
/// it does once it delivers to one that was made later, of an account that gets nothing else.
async fn wait_until_known(stack: &Stack, receiver: &Receiver) {
    let other = stack.client.with_token(tokens::OTHER);
    other.create_endpoint(&receiver.url("/later"), RATING).await;
    other.post_event(&events::rating_submitted(3)).await;
    receiver.wait_for_count("/later", 1, SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_endpoint_gets_its_events_after_resume() {
    let receiver = Receiver::start();
    let stack = Stack::builder().schedule(&["1s", "2s"]).start().await;
    let endpoint = stack
        .client
        .create_endpoint(&receiver.url("/hook"), RATING)
        .await;
    stack
        .client
        .create_endpoint(&receiver.url("/witness"), RATING)
        .await;
    stack.client.pause(&endpoint.id).await;
    assert_eq!(stack.client.endpoint(&endpoint.id).await["state"], "paused");
    wait_until_known(&stack, &receiver).await;
    let ids = stack.client.post_ratings(10).await;
    receiver.wait_for_events("/witness", 10, SOON).await;
    assert_eq!(receiver.look(|log| log.to("/hook").len()), 0);
    stack
        .wait_for_attempts("the log says why they wait", SOON, |log| {
            let waiting = log.iter().filter(|json| json["next"] == "deferred");
            let paused =
                waiting.filter(|json| json["reason"] == "paused" && json["status"].is_null());
            (paused.count() >= 10).then_some(())
        })
        .await;
    stack.client.resume(&endpoint.id).await;
    receiver.wait_for_events("/hook", 10, SOON).await;
    let got = receiver.look(|log| log.to("/hook"));
    assert_eq!(got.len(), ids.len());
    for request in got {
        assert_eq!(
            request.header("x-feedbackpro-attempt"),
            "1",
            "waiting is no attempt"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_has_ended_stops_nothing_when_the_key_that_sealed_it_is_gone() {
    let (broker, receiver) = (Broker::shared().await, Receiver::start());
    let stack = Stack::builder().start().await;
    let url = receiver.url("/hook");
    let endpoint = stack.client.create_endpoint(&url, RATING).await;
    let topic = stack.name("webhooks.endpoints");
    let mut record = broker.read(&topic).await[0].json();
    let mut ended = record["secrets"][0].clone();
    ended["key_id"] = "gone".into();
    ended["expires_at"] = "2020-01-01T00:00:00Z".into();
    record["secrets"]
        .as_array_mut()
        .expect("a list")
        .push(ended);
    record["description"] = "rotated long ago".into();
    let rotated = NewRecord {
        key: Some(endpoint.id.clone().into_bytes()),
        value: Some(record.to_string().into_bytes()),
        ..NewRecord::default()
    };
    broker.write(&topic, rotated).await;
    e2e::until("the table has it", SOON, async || {
        let found = stack.client.endpoint(&endpoint.id).await;
        (found["description"] == "rotated long ago").then_some(())
    })
    .await;
    stack.client.post_event(&events::rating_submitted(5)).await;
    let got = receiver.wait_for_count("/hook", 1, SOON).await;
    got[0].verify(&endpoint.secret).expect("it is signed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_keeps_back_what_does_not_match_and_lets_the_rest_through() {
    let receiver = Receiver::start();
    let stack = Stack::builder().start().await;
    let create = async |path: &str, filter: Value| {
        let all = [
            "new_feedback",
            "rating_submitted",
            "nps_calculated",
            "widget_dismissed",
        ];
        let body = json!({"url": receiver.url(path), "events": all, "filter": filter});
        let list = "/api/v1/endpoints";
        let created = stack
            .client
            .call_json(Binary::Console, Method::POST, list, &body);
        let created = created.await.expect(201).json();
        created["id"].as_str().unwrap_or_default().to_owned()
    };
    let low = json!([{"field": "score", "operator": "at_most", "value": 2}]);
    let unhappy = json!([
        {"field": "score", "operator": "at_most", "value": 2},
        {"field": "segment", "operator": "equals", "value": "Detractor"},
        {"field": "product_sku", "operator": "starts_with", "value": "BW-"},
    ]);
    let low = create("/low", low).await;
    create("/unhappy", unhappy).await;
    create("/all", json!([])).await;
    let mut sent = Vec::new();
    for score in 1..=5 {
        sent.push(
            stack
                .client
                .post_event(&events::rating_submitted(score))
                .await,
        );
    }
    for segment in ["Promoter", "Passive", "Detractor"] {
        sent.push(
            stack
                .client
                .post_event(&events::nps_calculated(segment))
                .await,
        );
    }
    // No score, a product that is null; and neither of the three fields.
    sent.push(stack.client.post_event(&events::widget_dismissed()).await);
    sent.push(
        stack
            .client
            .post_event(&events::new_feedback("Größe"))
            .await,
    );
    receiver.wait_for_events("/all", sent.len(), SOON).await;
    let only = |indexes: &[usize]| -> BTreeSet<String> {
        indexes.iter().map(|index| sent[*index].clone()).collect()
    };
    let (at_low, at_unhappy) = (only(&[0, 1, 5, 6, 7, 8, 9]), only(&[0, 1, 7, 9]));
    receiver.wait_for_events("/low", at_low.len(), SOON).await;
    receiver
        .wait_for_events("/unhappy", at_unhappy.len(), SOON)
        .await;

    // A change holds for the events that are read after it.
    let path = format!("/api/v1/endpoints/{low}");
    let high = json!({"filter": [{"field": "score", "operator": "at_least", "value": 5}]});
    let changed = stack
        .client
        .call_json(Binary::Console, Method::PATCH, &path, &high);
    drop(changed.await.expect(200));
    wait_until_known(&stack, &receiver).await;
    let one = stack.client.post_event(&events::rating_submitted(1)).await;
    let five = stack.client.post_event(&events::rating_submitted(5)).await;
    receiver.wait_for_events("/all", sent.len() + 2, SOON).await;
    receiver
        .wait_for_events("/low", at_low.len() + 1, SOON)
        .await;
    receiver
        .wait_for_events("/unhappy", at_unhappy.len() + 1, SOON)
        .await;
    let got = |path: &str| -> BTreeSet<String> {
        let requests = receiver.look(|log| log.to(path));
        let ids = requests
            .iter()
            .map(|request| request.webhook_id().to_owned());
        ids.collect()
    };
    assert_eq!(got("/low"), &at_low | &BTreeSet::from([five]));
    assert_eq!(got("/unhappy"), &at_unhappy | &BTreeSet::from([one]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_is_durable_before_a_change_is_answered_and_outlives_the_console() {
    let receiver = Receiver::start();
    let mut stack = Stack::builder().start().await;
    let url = receiver.url("/hook");
    let endpoint = stack.client.create_endpoint(&url, RATING).await;
    stack.client.pause(&endpoint.id).await;
    stack.client.rotate_secret(&endpoint.id).await;
    stack.client.secret(&endpoint.id).await;
    let topic = stack.name("webhooks.audit");
    let records = Broker::shared().await.read(&topic).await;
    let written: Vec<Value> = records.iter().map(|record| record.json()).collect();
    let actions = |records: &[Value]| -> Vec<String> {
        let actions = records.iter().map(|record| record["action"].to_string());
        actions.collect()
    };
    let expected = [
        "\"endpoint_created\"",
        "\"endpoint_paused\"",
        "\"secret_rotated\"",
        "\"secret_revealed\"",
    ];
    assert_eq!(actions(&written), expected);
    assert!(records.iter().all(|record| record.key_text() == "shop"));

    // By another process, from the topic.
    stack.console.restart().await;
    let audit = "/api/v1/audit";
    let shown = stack.client.call(Binary::Console, Method::GET, audit);
    let shown = shown.await.expect(200).json();
    let mut items = shown["items"].as_array().expect("a list").clone();
    items.reverse();
    assert_eq!(items, written);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_secret_verifies_both_ways() {
    let receiver = Receiver::start();
    let stack = Stack::builder().start().await;
    let endpoint = stack
        .client
        .create_endpoint(&receiver.url("/hook"), RATING)
        .await;
    let new = stack.client.rotate_secret(&endpoint.id).await;
    assert_ne!(new, endpoint.secret);
    assert_eq!(stack.client.secret(&endpoint.id).await, new);
    wait_until_known(&stack, &receiver).await;
    stack.client.post_event(&events::rating_submitted(4)).await;
    let got = receiver.wait_for_count("/hook", 1, SOON).await;
    got[0]
        .verify(&endpoint.secret)
        .expect("the old secret verifies for 24 h");
    got[0].verify(&new).expect("the new secret verifies");
    got[0]
        .verify("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        .expect_err("another secret does not");
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_of_a_deleted_endpoint_are_dropped_and_counted() {
    let receiver = Receiver::start();
    receiver.answer("/hook", Answer::Status(500));
    let stack = Stack::builder().schedule(&["2s", "2s"]).start().await;
    let endpoint = stack
        .client
        .create_endpoint(&receiver.url("/hook"), RATING)
        .await;
    stack.client.post_event(&events::rating_submitted(4)).await;
    receiver.wait_for_count("/hook", 1, SOON).await;
    stack.client.delete_endpoint(&endpoint.id).await;
    e2e::until("the delivery is dropped", SOON, async || {
        let dropped = stack
            .dispatcher
            .metric("feedbackpro_dispatcher_dropped_deleted_total")
            .await;
        (dropped == Some(1.0)).then_some(())
    })
    .await;
    assert_eq!(receiver.look(|log| log.to("/hook").len()), 1);
    assert!(stack.client.failed("").await.items.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_delivery_of_a_deleted_endpoint_that_is_sent_again_comes_back() {
    let receiver = Receiver::start();
    receiver.answer("/hook", Answer::Status(500));
    let stack = Stack::builder().schedule(&["1s"]).start().await;
    let client = &stack.client;
    let endpoint = client.create_endpoint(&receiver.url("/hook"), RATING).await;
    client.post_event(&events::rating_submitted(4)).await;
    let failed = client.wait_for_failed(1, SOON).await.remove(0);
    client.delete_endpoint(&endpoint.id).await;
    wait_until_known(&stack, &receiver).await;
    client.resend(failed["id"].as_str().unwrap()).await;
    let back = e2e::until("it is on the list again", SOON, async || {
        let mut page = client.failed("reason=endpoint_deleted").await;
        page.items.pop()
    })
    .await;
    assert_eq!(back["id"], failed["id"]);
    assert_eq!(back["event_id"], failed["event_id"]);
    assert_eq!(receiver.look(|log| log.to("/hook").len()), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_event_says_what_is_wrong_in_words() {
    let receiver = Receiver::start();
    receiver.answer("/fails", Answer::WithBody(500, "out of stock".into()));
    receiver.answer("/hangs", Answer::Hang);
    let stack = Stack::builder().start().await;
    let test = async |path: &str| {
        let endpoint = stack
            .client
            .create_endpoint(&receiver.url(path), RATING)
            .await;
        stack
            .client
            .test_event(&endpoint.id, "rating_submitted")
            .await
    };
    let good = test("/works").await;
    assert_eq!(
        (&good["delivered"], &good["status"]),
        (&true.into(), &200.into())
    );
    assert!(good["reason"].is_null());
    let request = receiver.wait_for_count("/works", 1, SOON).await;
    assert_eq!(request[0].header("x-feedbackpro-test"), "true");
    let bad = test("/fails").await;
    assert_eq!(
        (&bad["delivered"], &bad["status"]),
        (&false.into(), &500.into())
    );
    assert_eq!(bad["response_body"], "out of stock");
    let reason = |reply: &Value| reply["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason(&bad).starts_with("status: "), "{bad}");
    let slow = test("/hangs").await;
    assert!(reason(&slow).starts_with("timeout: "), "{slow}");
    assert!(slow["status"].is_null());
}
