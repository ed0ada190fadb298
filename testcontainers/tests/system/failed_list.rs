//! The failed list on a real Kafka: transactions, fencing, markers, a broker
//! that dies.

#![expect(
    clippy::unwrap_used,
    reason = "helpers fail like the test that calls them"
)]

use std::collections::BTreeMap;

use e2e::client::{Reply, send};
use e2e::settings::tokens;
use e2e::{Binary, Broker, Client, Service, Signal, until};
use reqwest::Method;
use serde_json::Value;

use crate::place::{Place, SOON};

/// The default of `index.path`.
const INDEX: &str = "data/failed.sqlite";

async fn call(list: &Service, method: Method, path: &str) -> Reply {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.request(method, list.url(path));
    send(request.bearer_auth(tokens::SHOP).timeout(SOON)).await
}

async fn resend(list: &Service, id: &str) -> Reply {
    call(list, Method::POST, &format!("/webhooks/failed/{id}/resend")).await
}

/// Ids and cursor of a page.
async fn page(list: &Service, query: &str) -> (Vec<String>, String) {
    let reply = call(list, Method::GET, &format!("/webhooks/failed?{query}")).await;
    let body = reply.expect(200).json();
    let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
    let items = body["items"].as_array().unwrap().iter().map(id).collect();
    (items, body["next_cursor"].as_str().unwrap().to_owned())
}

async fn shows(list: &Service, ids: &[String]) {
    until(
        &format!("{} entries on the list", ids.len()),
        SOON,
        async || (page(list, "limit=500").await.0 == ids).then_some(()),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resend_writes_both_records_and_the_list_is_right_after_a_restart_and_a_rebuild() {
    let broker = Broker::shared().await;
    let place = Place::on(broker);
    let mut list = place.list().await;
    let mut ids = place.fail(6, 10).await;
    shows(&list, &ids).await;
    let (seen, cursor) = page(&list, "limit=2").await;
    assert_eq!(seen, ids[..2]);

    let moved = ids.remove(3);
    drop(resend(&list, &moved).await.expect(202));
    let discarded = ids.remove(3);
    let path = format!("/webhooks/failed/{discarded}");
    drop(call(&list, Method::DELETE, &path).await.expect(204));

    assert_eq!(
        page(&list, "").await.0,
        ids,
        "both are off the list at once"
    );
    drop(resend(&list, &moved).await.problem(404));
    let once = BTreeMap::from([(moved.clone(), 1)]);
    assert_eq!(place.resent(broker).await, once);
    assert_eq!(place.tombstones(broker).await, 2);
    let audit = place.audit(broker).await;
    let expected = [
        ("delivery_resent", &moved),
        ("delivery_discarded", &discarded),
    ];
    let expected = expected.map(|(action, id)| (action.to_owned(), id.clone()));
    assert_eq!(audit, expected);

    // The tombstones' transactions left markers at the end of the topic.
    let (_, end) = page(&list, "").await;
    list.restart().await;
    assert_eq!(page(&list, "").await.0, ids, "after a SIGKILL");
    list.kill();
    std::fs::remove_file(list.file(INDEX)).unwrap();
    list.restart().await;
    assert_eq!(page(&list, "").await.0, ids, "after a rebuild");
    let (rest, _) = page(&list, &format!("cursor={cursor}")).await;
    assert_eq!(rest, ids[2..], "a kept cursor goes on");

    let new = place.fail(1, 10).await;
    until("the new failure, and only that", SOON, async || {
        (page(&list, &format!("cursor={end}")).await.0 == new).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_starts_last_moves_and_the_other_ends_without_a_trace() {
    let broker = Broker::shared().await;
    let place = Place::on(broker);
    let mut first = place.list().await;
    let ids = place.fail(2, 10).await;
    shows(&first, &ids).await;
    let second = place.list().await;

    drop(resend(&first, &ids[0]).await.problem(503));

    let status = first.wait_exit(SOON).await;
    assert_eq!(status.code(), Some(1), "{}", first.log());
    assert!(
        first.log().contains("another dlq-consumer has taken over"),
        "{}",
        first.log()
    );
    assert!(place.resent(broker).await.is_empty());
    assert_eq!(place.tombstones(broker).await, 0);
    drop(resend(&second, &ids[0]).await.expect(202));
    assert_eq!(page(&second, "").await.0, ids[1..]);

    // With the index of before, and without the right to move until it starts anew.
    first.restart().await;
    assert_eq!(page(&first, "").await.0, ids[1..]);
    drop(resend(&first, &ids[0]).await.problem(404));
    drop(resend(&first, &ids[1]).await.expect(202));
    let once = ids.into_iter().map(|id| (id, 1)).collect();
    assert_eq!(place.resent(broker).await, once);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_of_resends_moves_each_delivery_once() {
    let broker = Broker::shared().await;
    let place = Place::on(broker);
    let mut list = place.list().await;
    let ids = place.fail(300, 10).await;
    shows(&list, &ids).await;

    // All of them at once, and a SIGKILL when some are done.
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut requests = tokio::task::JoinSet::new();
    for id in &ids {
        let url = list.url(&format!("/webhooks/failed/{id}/resend"));
        requests.spawn(http.post(url).bearer_auth(tokens::SHOP).send());
    }
    let mut accepted = 0;
    while accepted < 20 {
        let reply = requests.join_next().await.unwrap().unwrap().unwrap();
        assert_eq!(reply.status(), 202, "{reply:?}");
        accepted += 1;
    }
    list.kill();
    while requests.join_next().await.is_some() {}
    list.restart().await;

    let (left, _) = page(&list, "limit=500").await;
    let moved = place.resent(broker).await;
    assert_eq!(left.len() + moved.len(), ids.len(), "each is on one side");
    for id in &left {
        drop(resend(&list, id).await.expect(202));
    }
    let once = ids.into_iter().map(|id| (id, 1)).collect();
    assert_eq!(place.resent(broker).await, once);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_dies_costs_a_503_and_comes_back_without_a_restart() {
    let _alone = e2e::alone().await;
    let mut broker = Broker::private().await;
    let place = Place::on(&broker);
    let mut list = place.list().await;
    let ids = place.fail(3, 10).await;
    shows(&list, &ids).await;

    broker.kill().await;
    assert_eq!(page(&list, "").await.0, ids, "the list can still be read");
    let reply = resend(&list, &ids[0]).await;
    assert!(!reply.header("retry-after").is_empty());
    drop(reply.problem(503));
    broker.start().await;

    until("a move is accepted again", SOON, async || {
        let reply = resend(&list, &ids[0]).await;
        matches!(reply.status, 202 | 404).then_some(())
    })
    .await;
    assert!(list.is_running());
    shows(&list, &ids[1..]).await;
    let once = BTreeMap::from([(ids[0].clone(), 1)]);
    assert_eq!(place.resent(&broker).await, once);
    let new = place.fail(1, 10).await;
    shows(&list, &[&ids[1..], &new[..]].concat()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_large_envelopes_end_early_and_the_cursor_goes_on() {
    let broker = Broker::shared().await;
    let place = Place::on(broker);
    let list = place.list().await;
    let ids = place.fail(200, 60_000).await;
    until("all are on the list", SOON, async || {
        let entries = list.metric("feedbackpro_dlq_consumer_entries").await;
        (entries == Some(200.0)).then_some(())
    })
    .await;

    let (mut seen, mut cursor) = page(&list, "limit=500").await;
    assert!((100..150).contains(&seen.len()), "{} in 8 MiB", seen.len());
    loop {
        let (items, next) = page(&list, &format!("limit=500&cursor={cursor}")).await;
        if items.is_empty() {
            break;
        }
        seen.extend(items);
        cursor = next;
    }
    assert_eq!(seen, ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_hold_little_in_memory_however_slowly_they_are_taken() {
    const ENTRIES: usize = 500;
    let broker = Broker::shared().await;
    let place = Place::on(broker);
    let list = place.list().await;
    let client = Client::of_dlq_consumer(&list);
    let ids = place.fail(ENTRIES, 60_000).await;
    until("all are on the list", SOON, async || {
        (client.failed_count("").await == 500).then_some(())
    })
    .await;

    // 30 MB each, of which nothing is taken.
    let path = "/webhooks/failed/export";
    let export = || client.request(Binary::DlqConsumer, Method::GET, path);
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(export().send().await.unwrap());
    }
    let refused = send(export()).await.problem(503);
    assert_eq!(refused["type"], "/problems/too-many-exports");
    let peak = list.peak_memory();
    assert!(peak < 100 * 1024 * 1024, "{} MiB", peak / 1024 / 1024);

    drop(open);
    let lines = until("there is room again", SOON, async || {
        let reply = send(export()).await;
        (reply.status == 200).then(|| reply.ndjson())
    })
    .await;
    let exported: Vec<_> = lines.iter().map(|line| line["id"].clone()).collect();
    assert_eq!(exported, ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_cleanly_and_a_topic_set_up_wrongly_is_told() {
    let broker = Broker::shared().await;
    let place = Place::on(broker);
    let mut list = place.list().await;
    let ids = place.fail(1, 10).await;
    shows(&list, &ids).await;
    list.signal(Signal::Term);
    let status = list.wait_exit(SOON).await;
    assert_eq!(status.code(), Some(0), "{}", list.log());

    let other = Place::on(broker);
    broker
        .create_topic(&other.topic("webhooks.dead-letter"), 3)
        .await;
    let ended = e2e::service::run(Binary::DlqConsumer, &other.settings(), &[], b"", SOON).await;
    assert_eq!(ended.code, Some(64), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("webhooks.dead-letter"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains('3'), "{}", ended.stderr);
}
