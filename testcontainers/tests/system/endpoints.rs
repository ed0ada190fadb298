//! What people do with endpoints while deliveries are under way.

use std::time::Duration;

use e2e::{Answer, Broker, Receiver, Stack, events};

const SOON: Duration = Duration::from_secs(30);
const RATING: &[&str] = &["rating_submitted"];

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
    let ids = stack.client.post_ratings(10).await;
    receiver.wait_for_events("/witness", 10, SOON).await;
    assert_eq!(receiver.look(|log| log.to("/hook").len()), 0);
    let attempts = stack.name("webhooks.attempts");
    e2e::until("the log says why they wait", SOON, async || {
        let records = Broker::shared().await.read(&attempts).await;
        let waiting = records.iter().map(|record| record.json());
        let waiting = waiting.filter(|json| json["next"] == "deferred");
        let paused = waiting.filter(|json| json["reason"] == "paused" && json["status"].is_null());
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
    let reason =
        |reply: &serde_json::Value| reply["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason(&bad).starts_with("status: "), "{bad}");
    let slow = test("/hangs").await;
    assert!(reason(&slow).starts_with("timeout: "), "{slow}");
    assert!(slow["status"].is_null());
}
