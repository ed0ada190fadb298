//! Bulk jobs on a real Kafka: each delivery is moved once, whatever happens to
//! the process in the middle.

#![expect(
    clippy::unwrap_used,
    reason = "helpers fail like the test that calls them"
)]

use std::collections::BTreeMap;

use e2e::settings::tokens;
use e2e::{Binary, Broker, Client, Service, Signal, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::place::{DeadLetter, Place, SOON};

/// A job of so many takes some seconds: time enough to do something to it.
const MANY: usize = 10_000;

fn id(job: &Value) -> &str {
    job["id"].as_str().unwrap()
}

fn number(job: &Value, key: &str) -> usize {
    usize::try_from(job[key].as_u64().unwrap()).unwrap()
}

fn numbers(job: &Value) -> [usize; 3] {
    ["total", "moved", "skipped"].map(|key| number(job, key))
}

async fn shows(client: &Client, count: usize) {
    until(&format!("{count} entries"), SOON, async || {
        let shown = client.failed_count("").await;
        (shown == u64::try_from(count).unwrap()).then_some(())
    })
    .await;
}

/// A list with so many entries of `shop`, and a re-send of all that is in the
/// middle of it.
async fn in_the_middle(place: &Place, letters: &[DeadLetter]) -> (Service, Client, Value) {
    let list = place.list().await;
    let client = Client::of_dlq_consumer(&list);
    place.write(letters).await;
    shows(&client, letters.len()).await;
    let job = client.start_job("resend", &json!({})).await;
    assert_eq!(numbers(&job), [letters.len(), 0, 0]);
    assert_eq!(job["state"], "running");
    until("some are moved", SOON, async || {
        let job = client.job(id(&job)).await;
        assert_eq!(job["state"], "running", "too fast: {job}");
        (number(&job, "moved") > 0).then_some(())
    })
    .await;
    (list, client, job)
}

fn letters(count: usize) -> Vec<DeadLetter> {
    (0..count).map(|_| DeadLetter::new("shop", 300)).collect()
}

fn each_once(letters: &[DeadLetter]) -> BTreeMap<String, usize> {
    letters.iter().map(|it| (it.id.clone(), 1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_after_a_kill_and_moves_each_once_also_what_fails_again() {
    let broker = Broker::shared().await;
    let place = Place::on(broker);
    let letters = letters(MANY);
    let (mut list, client, job) = in_the_middle(&place, &letters).await;

    list.kill();
    // Re-sent by the job, failed again, and not the job's any more.
    let moved = place.resent(broker).await;
    let again = letters
        .iter()
        .find(|it| moved.contains_key(&it.id))
        .unwrap();
    place.write(std::slice::from_ref(again)).await;
    list.restart().await;
    let done = client.wait_for_job(id(&job), SOON).await;

    assert!(list.log().contains("a job goes on"), "{}", list.log());
    assert_eq!(done["state"], "done");
    assert_eq!(numbers(&done), [MANY, MANY, 0]);
    assert_eq!(place.resent(broker).await, each_once(&letters));
    shows(&client, 1).await;
    assert_eq!(client.failed("").await.items[0]["id"], again.id);
    let audit = [("resend_started".to_owned(), id(&job).to_owned())];
    assert_eq!(place.audit(broker).await, audit);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_dlq_consumer_takes_a_job_over_and_the_one_before_does_nothing_more() {
    let broker = Broker::shared().await;
    let place = Place::on(broker);
    let letters = letters(MANY);
    let (mut first, before, job) = in_the_middle(&place, &letters).await;

    // In the middle of a transaction, as likely as not.
    first.signal(Signal::Stop);
    let second = place.list().await;
    let client = Client::of_dlq_consumer(&second);
    let done = client.wait_for_job(id(&job), SOON).await;
    first.signal(Signal::Cont);
    // It ends with the transaction that was under way, or with the next one.
    let order = json!({"action": "discard", "filter": {}});
    let path = "/webhooks/resends";
    let asked = before.request(Binary::DlqConsumer, Method::POST, path);
    if let Ok(answer) = asked.json(&order).send().await {
        assert_eq!(answer.status(), 503);
    }
    let status = first.wait_exit(SOON).await;

    assert!(second.log().contains("a job goes on"), "{}", second.log());
    assert_eq!(status.code(), Some(1), "{}", first.log());
    assert_eq!(done["state"], "done");
    assert_eq!(numbers(&done), [MANY, MANY, 0]);
    assert_eq!(place.resent(broker).await, each_once(&letters));
    assert_eq!(client.job(id(&job)).await, done);
    shows(&client, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_moves_nothing_more_also_after_a_restart() {
    let broker = Broker::shared().await;
    let place = Place::on(broker);
    let letters = letters(MANY);
    let (mut list, client, job) = in_the_middle(&place, &letters).await;

    let other = client.with_token(tokens::OTHER);
    drop(other.cancel_job(id(&job)).await.problem(404));
    let cancelled = client.cancel_job(id(&job)).await.expect(200).json();
    let moved = number(&cancelled, "moved");
    shows(&client, MANY - moved).await;
    list.restart().await;

    assert_eq!(cancelled["state"], "cancelled");
    assert!(moved > 0 && moved < MANY, "{moved}");
    assert_eq!(client.job(id(&job)).await, cancelled);
    let again = client.cancel_job(id(&job)).await.expect(200).json();
    assert_eq!(again, cancelled);
    let resent = place.resent(broker).await;
    assert_eq!(resent.len(), moved);
    assert!(resent.values().all(|count| *count == 1));
    shows(&client, MANY - moved).await;
    let audit = place.audit(broker).await;
    let actions: Vec<_> = audit.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(actions, ["resend_started", "job_cancelled"]);

    // What is left can be discarded; nothing of that is sent.
    let left = client.dry_run("discard", &json!({})).await;
    assert_eq!(left, u64::try_from(MANY - moved).unwrap());
    let job = client.start_job("discard", &json!({})).await;
    let done = client.wait_for_job(id(&job), SOON).await;
    assert_eq!(numbers(&done), [MANY - moved, MANY - moved, 0]);
    shows(&client, 0).await;
    assert_eq!(place.resent(broker).await, resent);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_and_single_requests_at_once_move_each_once_and_only_their_account() {
    let broker = Broker::shared().await;
    let place = Place::on(broker);
    let list = place.list().await;
    let client = Client::of_dlq_consumer(&list);
    let own = letters(2_000);
    let foreign: Vec<_> = (0..500).map(|_| DeadLetter::new("other", 300)).collect();
    // In turns, so that each batch would hold both.
    for (own, foreign) in own.chunks(400).zip(foreign.chunks(100)) {
        place.write(own).await;
        place.write(foreign).await;
    }
    let operator = client.with_token(tokens::OPERATOR);
    shows(&operator, 2_500).await;

    let mut jobs = Vec::new();
    for _ in 0..3 {
        jobs.push(client.start_job("resend", &json!({})).await);
    }
    let mut singles = tokio::task::JoinSet::new();
    for letter in own.iter().rev().step_by(10) {
        let client = client.clone();
        let path = format!("/webhooks/failed/{}/resend", letter.id);
        singles.spawn(async move {
            let call = client.call(Binary::DlqConsumer, Method::POST, &path);
            call.await.status
        });
    }
    let mut by_singles = 0;
    while let Some(status) = singles.join_next().await {
        let status = status.unwrap();
        assert!(matches!(status, 202 | 404 | 409), "{status}");
        by_singles += usize::from(status == 202);
    }
    let mut by_jobs = 0;
    for job in jobs {
        let done = client.wait_for_job(id(&job), SOON).await;
        let [total, moved, skipped] = numbers(&done);
        assert_eq!(total, moved + skipped, "{done}");
        by_jobs += moved;
    }

    assert_eq!(by_singles + by_jobs, own.len());
    assert_eq!(place.resent(broker).await, each_once(&own));
    shows(&operator, foreign.len()).await;
    let other = client.with_token(tokens::OTHER);
    assert_eq!(other.export_failed("").await.len(), foreign.len());
    assert!(client.export_failed("").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_after_a_broker_that_died_in_the_middle() {
    let _alone = e2e::alone().await;
    let mut broker = Broker::private().await;
    let place = Place::on(&broker);
    let letters = letters(MANY);
    let (mut list, client, job) = in_the_middle(&place, &letters).await;

    broker.kill().await;
    assert_eq!(client.job(id(&job)).await["state"], "running");
    broker.start().await;
    // After more than `transaction.timeout.ms` the broker takes the right to
    // move away: then the process ends, and whoever watches it starts it anew.
    let path = format!("/webhooks/resends/{}", id(&job));
    let done = until("the job's end", SOON, async || {
        if !list.is_running() {
            list.restart().await;
        }
        let asked = client.request(Binary::DlqConsumer, Method::GET, &path);
        let job: Value = asked.send().await.ok()?.json().await.ok()?;
        (job["finished_at"].is_string()).then_some(job)
    })
    .await;

    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(numbers(&done), [MANY, MANY, 0]);
    assert_eq!(place.resent(&broker).await, each_once(&letters));
    shows(&client, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_eight_jobs_at_once_and_others_are_not_held_up() {
    let broker = Broker::shared().await;
    let place = Place::on(broker);
    let (_list, client, _) = in_the_middle(&place, &letters(MANY)).await;

    let start = async |client: &Client| {
        let order = json!({"action": "resend", "filter": {}});
        let path = "/webhooks/resends";
        let call = client.call_json(Binary::DlqConsumer, Method::POST, path, &order);
        call.await
    };
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let client = client.clone();
        all.spawn(async move { start(&client).await });
    }
    let other = start(&client.with_token(tokens::OTHER))
        .await
        .expect(202)
        .json();
    let mut refused = Vec::new();
    while let Some(reply) = all.join_next().await {
        let reply = reply.unwrap();
        if reply.status != 202 {
            refused.push(reply.problem(409));
        }
    }

    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0]["type"], "/problems/too-many-jobs");
    let other = client
        .with_token(tokens::OTHER)
        .wait_for_job(id(&other), SOON)
        .await;
    assert_eq!(other["state"], "done");
    shows(&client, 0).await;
}
