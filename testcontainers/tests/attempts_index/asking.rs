//! A delivery on its way, as the console's API tells it.

use std::time::Duration;

use e2e::settings::tokens;
use e2e::{Answer, Binary, Broker, Receiver, Stack, events, until};
use reqwest::Method;
use serde_json::Value;

const SOON: Duration = Duration::from_secs(30);

/// `GET` of a path of the console, as soon as it answers 200 and `is_true`.
async fn get(stack: &Stack, path: &str, is_true: impl Fn(&Value) -> bool) -> Value {
    until(&format!("{path} tells it"), SOON, async || {
        let reply = stack.client.call(Binary::Console, Method::GET, path).await;
        let told = (reply.status == 200).then(|| reply.json());
        told.filter(|told| is_true(told))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_followed_from_its_first_attempt_to_the_bytes_that_arrived() {
    let receiver = Receiver::start();
    receiver.answer("/hook", Answer::failing(1, 503));
    // Long enough for a slow machine to see it wait.
    let stack = Stack::builder().schedule(&["5s"]).start().await;
    let client = &stack.client;
    let chosen = ["rating_submitted"];
    let endpoint = client
        .create_endpoint(&receiver.url("/hook"), &chosen)
        .await;
    let event = client.post_event(&events::rating_submitted(4)).await;
    let path = format!("/api/v1/deliveries/{event}.{}", endpoint.id);

    let waits = get(&stack, &path, |told| told["state"] == "waiting").await;
    assert_eq!(waits["next_attempt"], 2);
    assert_eq!(waits["tier"], "5s");

    let got = receiver.wait_for_count("/hook", 2, SOON).await;
    let done = get(&stack, &path, |told| told["state"] == "delivered").await;
    let records = done["records"].as_array().expect("a time line");
    let statuses: Vec<&Value> = records.iter().map(|record| &record["status"]).collect();
    assert_eq!(statuses, [503, 200]);
    let found = format!("/api/v1/deliveries?event_id={event}&state=delivered");
    let found = get(&stack, &found, |told| told["items"][0].is_object()).await;
    assert_eq!(found["items"][0]["id"], done["id"]);

    let sums = "/api/v1/statistics?range=24h";
    let sums = get(&stack, sums, |told| told["total"]["delivered"] == 1).await;
    assert_eq!(sums["total"]["success_rate"], 0.5);

    let payload = format!("{path}/payload");
    let reply = client.call(Binary::Console, Method::GET, &payload).await;
    assert_eq!(reply.text().as_bytes(), &got[1].body[..]);
    let other = client.with_token(tokens::OTHER);
    drop(
        other
            .call(Binary::Console, Method::GET, &payload)
            .await
            .problem(404),
    );

    let place = |field: &str| records[0][field].as_i64().expect("a number");
    let partition = i32::try_from(place("partition")).expect("it is small");
    let topic = stack.name("feedback.events");
    let broker = Broker::shared().await;
    broker
        .delete_records(&topic, partition, place("offset") + 1)
        .await;
    let reply = client.call(Binary::Console, Method::GET, &payload).await;
    assert_eq!(reply.problem(410)["type"], "/problems/event-expired");
}
