//! Many events in one request.

use std::collections::HashSet;

use serde_json::json;

use crate::harness::{APP, Producer, RATING, reply};

#[tokio::test(flavor = "multi_thread")]
async fn each_line_has_its_own_answer_in_order() {
    let producer = Producer::start().await;
    let bad = RATING.replace("4,", "6,");
    let mut body = format!("{RATING}\r\n\n  \n{bad}\n{{\n").into_bytes();
    body.extend_from_slice(b"\xff\n");
    body.extend_from_slice(RATING.as_bytes());
    let lines = producer.post_lines(body).await.lines();

    let numbers: Vec<_> = lines.iter().map(|line| line["line"].clone()).collect();
    assert_eq!(numbers, [1, 4, 5, 6, 7].map(|number| json!(number)));
    assert!(lines[0]["id"].as_str().unwrap().starts_with("evt_"));
    assert_eq!(lines[1]["error"]["status"], 422);
    assert_eq!(lines[1]["error"]["errors"][0]["path"], "$.data.score");
    assert_eq!(lines[2]["error"]["status"], 400);
    assert_eq!(lines[3]["error"]["type"], "/problems/not-utf-8");
    assert!(lines[4]["id"].is_string() && lines[4].get("error").is_none());
    assert!(lines[1].get("id").is_none());

    let ids: HashSet<_> = producer
        .records()
        .iter()
        .map(|record| record.json()["id"].as_str().unwrap().to_owned())
        .collect();
    let accepted = [&lines[0], &lines[4]].map(|it| it["id"].as_str().unwrap().to_owned());
    assert_eq!(ids, HashSet::from(accepted));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_lines_are_taken_and_one_more_is_413() {
    let producer = Producer::start().await;
    let thousand = format!("{RATING}\n").repeat(1000);
    let lines = producer.post_lines(thousand.clone()).await.lines();
    assert_eq!(lines.len(), 1000);
    assert!(lines.iter().all(|line| line["id"].is_string()));
    assert_eq!(producer.count(), 1000);

    let problem = producer.post_lines(format!("{thousand}{RATING}")).await;
    let problem = problem.problem(413);
    assert_eq!(problem["type"], "/problems/too-many-lines");
    assert_eq!(producer.count(), 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_1_mib_is_413_and_no_line_at_all_is_400() {
    let producer = Producer::start().await;
    producer
        .post_lines("\n".repeat(1024 * 1024 + 1))
        .await
        .problem(413);
    producer.post_lines("").await.problem(400);
    producer.post_lines("\n\n").await.problem(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_and_the_number_of_the_line_give_the_same_ids_again_and_publish_once() {
    let producer = Producer::start().await;
    let post = |key: &str, body: String| {
        let request = producer
            .post()
            .header("content-type", "application/x-ndjson");
        reply(request.header("idempotency-key", key).body(body))
    };
    let body = format!("{RATING}\n\n{RATING}\n");
    let first = post("import-7", body.clone()).await.lines();
    let again = post("import-7", body).await.lines();
    assert_eq!(first, again);
    assert_ne!(first[0]["id"], first[1]["id"]);
    assert_eq!(producer.count(), 2);

    let changed = format!("{}\n\n{RATING}\n{RATING}", RATING.replace("4,", "5,"));
    let lines = post("import-7", changed).await.lines();
    assert_eq!(
        lines[0]["error"]["type"],
        "/problems/idempotency-key-reused"
    );
    assert_eq!(lines[1]["id"], first[1]["id"]);
    assert!(lines[2]["id"].is_string());
    assert_eq!(producer.count(), 3);

    // The third line by itself, as a single event.
    let request = producer.post().header("content-type", "application/json");
    let single = request.header("idempotency-key", "import-7/3").body(RATING);
    assert_eq!(reply(single).await.id(), first[1]["id"].as_str().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_count_for_the_rate_of_ingest_tokens() {
    let producer = Producer::start_with(&[("ingest.max_per_second", "1")]).await;
    let post = || {
        let request = producer
            .post_with(APP)
            .header("content-type", "application/x-ndjson");
        reply(request.body(format!("{RATING}\n").repeat(1000)))
    };
    assert_eq!(post().await.lines().len(), 1000);
    let refused = post().await;
    refused.problem(429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((980..=1000).contains(&wait), "{wait}");
}
