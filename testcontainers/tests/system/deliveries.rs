//! Any delivery again, by where its event stands.

use std::time::Duration;

use e2e::settings::tokens;
use e2e::{Answer, Broker, Receiver, Stack, events};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(30);
const RATING: &[&str] = &["rating_submitted"];

/// The record of the first attempt at the delivery.
async fn attempt(stack: &Stack, delivery: &str) -> Value {
    stack
        .wait_for_attempts("the record of the attempt", SOON, |log| {
            log.into_iter().find(|json| json["delivery"] == delivery)
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivered_one_arrives_again_with_the_same_webhook_id() {
    let receiver = Receiver::start();
    let stack = Stack::builder().start().await;
    let client = &stack.client;
    let endpoint = client.create_endpoint(&receiver.url("/hook"), RATING).await;
    let event = client.post_event(&events::rating_submitted(4)).await;
    receiver.wait_for_count("/hook", 1, SOON).await;
    let delivery = format!("{event}.{}", endpoint.id);
    let attempt = attempt(&stack, &delivery).await;

    let other = client.with_token(tokens::OTHER);
    drop(
        other
            .resend_delivery(&delivery, &attempt)
            .await
            .problem(404),
    );
    drop(
        client
            .resend_delivery(&delivery, &attempt)
            .await
            .expect(202),
    );

    let got = receiver.wait_for_count("/hook", 2, SOON).await;
    assert_eq!(got[0].webhook_id(), event);
    assert_eq!(got[1].webhook_id(), event);
    assert_eq!(got[1].body, got[0].body);
    assert_eq!(got[1].header("x-feedbackpro-attempt"), "1");
    got[1].verify(&endpoint.secret).expect("it is signed");
    let audit = Broker::shared()
        .await
        .read(&stack.name("webhooks.audit"))
        .await;
    let audit = audit.last().expect("it was noted").json();
    assert_eq!(audit["action"], "delivery_resent");
    assert_eq!(audit["subject"], delivery);
    assert_eq!(audit["token"], "shop");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_event_kafka_does_not_keep_any_more_is_gone() {
    let receiver = Receiver::start();
    let stack = Stack::builder().start().await;
    let client = &stack.client;
    let endpoint = client.create_endpoint(&receiver.url("/hook"), RATING).await;
    let event = client.post_event(&events::rating_submitted(4)).await;
    receiver.wait_for_count("/hook", 1, SOON).await;
    let delivery = format!("{event}.{}", endpoint.id);
    let attempt = attempt(&stack, &delivery).await;
    let partition = i32::try_from(attempt["partition"].as_i64().expect("a number"));
    let before = attempt["offset"].as_i64().expect("a number") + 1;
    let broker = Broker::shared().await;
    broker
        .delete_records(
            &stack.name("feedback.events"),
            partition.expect("it is small"),
            before,
        )
        .await;

    let reply = client.resend_delivery(&delivery, &attempt).await;

    assert_eq!(reply.problem(410)["type"], "/problems/event-expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_does_not_reach_another_accounts_endpoint_by_its_id() {
    let receiver = Receiver::start();
    let stack = Stack::builder().start().await;
    let client = &stack.client;
    let own = client.create_endpoint(&receiver.url("/own"), RATING).await;
    let other = client.with_token(tokens::OTHER);
    let foreign = other.create_endpoint(&receiver.url("/other"), RATING).await;
    let event = client.post_event(&events::rating_submitted(4)).await;
    receiver.wait_for_count("/own", 1, SOON).await;
    let attempt = attempt(&stack, &format!("{event}.{}", own.id)).await;

    let forged = format!("{event}.{}", foreign.id);
    drop(client.resend_delivery(&forged, &attempt).await.expect(202));

    // To this account the endpoint is as if it were deleted.
    let listed = client.wait_for_failed(1, SOON).await;
    assert_eq!(listed[0]["id"], forged);
    assert_eq!(listed[0]["reason"], "endpoint_deleted");
    assert!(other.failed("").await.items.is_empty());
    assert_eq!(receiver.look(|log| log.to("/other").len()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_sends_what_an_endpoint_missed_once_it_works_again() {
    let receiver = Receiver::start();
    receiver.answer("/hook", Answer::Status(500));
    let stack = Stack::builder().schedule(&["1s"]).start().await;
    let client = &stack.client;
    let endpoint = client.create_endpoint(&receiver.url("/hook"), RATING).await;
    let events = client.post_ratings(50).await;
    client.wait_for_failed(50, SOON).await;
    let before = receiver.look(|log| log.to("/hook").len());
    receiver.answer("/hook", Answer::Status(200));

    let filter = serde_json::json!({"endpoint": endpoint.id});
    let job = client.start_job("resend", &filter).await;
    let id = job["id"].as_str().expect("a job has an id");
    let done = client.wait_for_job(id, SOON).await;

    assert_eq!(done["moved"], 50);
    let got = receiver.wait_for_count("/hook", before + 50, SOON).await;
    let mut again: Vec<_> = got[before..].iter().map(|it| it.webhook_id()).collect();
    again.sort_unstable();
    let mut events: Vec<_> = events.iter().map(String::as_str).collect();
    events.sort_unstable();
    assert_eq!(again, events);
    assert_eq!(client.failed_count("").await, 0);
}
