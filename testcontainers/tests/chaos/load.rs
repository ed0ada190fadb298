//! What comes in and what answers: a steady load, and receivers with moods.

use std::time::Duration;

use e2e::receiver::Request;
use e2e::{Answer, Binary, Client, events};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::luck::Luck;

/// The only status that means "delivered": a body that breaks off is a 200.
pub(crate) const DELIVERED: u16 = 204;
/// Requests that may wait for the producer at once: what an outage of Kafka
/// makes of the load.
const MOST_OPEN: usize = 300;
/// How long a shop waits before it posts again what was not accepted.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// What this request gets. About a quarter of all attempts fail, so that of
/// some thousand deliveries a few use up their six.
pub(crate) fn mood(seed: u64, request: &Request) -> Answer {
    let text = format!("{}{}", request.path, request.webhook_id());
    let mut luck = Luck::of(seed, &text, request.attempt);
    match luck.below(2000) {
        0 => Answer::WithHeaders(429, vec![("retry-after", "1".to_owned())]),
        1..=2 => Answer::Hang,
        3..=7 => Answer::HangUp,
        8..=12 => Answer::CloseMidBody,
        13..=480 => Answer::Status(500),
        481..=900 => Answer::after(Duration::from_millis(luck.below(100)), DELIVERED),
        _ => Answer::Status(DELIVERED),
    }
}

/// An event that was answered 202.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) id: String,
    /// How often it had to be posted.
    pub(crate) posts: usize,
}

/// Posts ratings until stopped, each with an `Idempotency-Key`, and each until
/// it is accepted.
pub(crate) async fn offer(
    client: Client,
    seed: u64,
    per_second: u32,
    stop: CancellationToken,
) -> Vec<Accepted> {
    let mut posts = JoinSet::new();
    let mut accepted = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = ticks.tick(), if posts.len() < MOST_OPEN => {
                posts.spawn(post(client.clone(), format!("chaos-{seed}-{number}"), number));
                number += 1;
            }
            Some(done) = posts.join_next(), if !posts.is_empty() => {
                accepted.push(done.expect("posting does not panic"));
            }
        }
    }
    accepted.extend(posts.join_all().await);
    accepted
}

async fn post(client: Client, key: String, number: usize) -> Accepted {
    let mut event = events::rating_submitted(5);
    event["data"]["customer_id"] = json!(format!("cus_{number}"));
    let mut posts = 0;
    loop {
        posts += 1;
        let request = client
            .request(Binary::Producer, Method::POST, "/v1/events")
            .header("Idempotency-Key", &key)
            .json(&event);
        // No answer and 503 say the same: perhaps it was taken.
        if let Ok(answer) = request.send().await {
            let status = answer.status().as_u16();
            assert!([202, 503].contains(&status), "{status} for {key}");
            if status == 202
                && let Ok(json) = answer.json::<Value>().await
            {
                let id = json["id"].as_str().expect("an accepted event has an id");
                let id = id.to_owned();
                return Accepted { id, posts };
            }
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}
