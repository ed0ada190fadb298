//! What is refused, and how that is told.

use reqwest::Method;
use serde_json::json;

use crate::harness::{APP, OPERATOR, Producer, RATING, SHOP, reply};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_json_or_not_utf_8_is_400() {
    let producer = Producer::start().await;
    for body in ["", "{", "no", "{\"event\":}", &format!("{RATING} more")] {
        let problem = producer.post_json(body.to_owned()).await.problem(400);
        assert_eq!(problem["type"], "/problems/not-json", "{body}");
    }
    let mut broken = RATING.as_bytes().to_vec();
    broken[12] = 0xff;
    let problem = producer.post_json(broken).await.problem(400);
    assert_eq!(problem["type"], "/problems/not-utf-8");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("offset 12"), "{detail}");
    assert_eq!(producer.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_the_schema_is_422_and_names_the_path_what_was_found_and_what_is_allowed() {
    let producer = Producer::start().await;
    let long_array = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
    let nested = RATING.replace("\"BW-440-RED\"", &long_array);
    let cases = [
        (
            RATING.replace("4,", "6,"),
            "$.data.score",
            "6",
            "a whole number from 1 to 5",
        ),
        (
            RATING.replace("4,", "\"4\","),
            "$.data.score",
            "\"4\"",
            "a whole number from 1 to 5",
        ),
        (
            RATING.replace("4,", "4.5,"),
            "$.data.score",
            "4.5",
            "a whole number from 1 to 5",
        ),
        (
            RATING.replace("4,", "null,"),
            "$.data.score",
            "null",
            "a whole number from 1 to 5",
        ),
        (
            RATING.replace("rating_", "rated_"),
            "$.event",
            "\"rated_submitted\"",
            "new_feedback, rating_submitted, nps_calculated or widget_dismissed",
        ),
        (
            RATING.replace("\"email\"", "\"mail\""),
            "$.data.mail",
            "unknown field `mail`",
            "one of `customer_id`, `email`, `score`, `product_sku`, `session_page`",
        ),
        (
            RATING.replace("anna.", "anna @"),
            "$.data.email",
            "\"anna @mueller@webshop.de\"",
            "an e-mail address or null",
        ),
        (
            RATING.replace("\"BW-440-RED\"", "\"\""),
            "$.data.product_sku",
            "\"\"",
            "a text that is not empty",
        ),
        (
            RATING.replace("2024-06-15T", "yesterday"),
            "$.timestamp",
            "\"yesterday14:32:00Z\"",
            "a date and time of ISO 8601 (RFC 3339), for example 2024-06-15T14:32:00Z",
        ),
        (
            RATING.replace("{\"event\"", "{\"id\":\"evt_1\",\"event\""),
            "$.id",
            "unknown field `id`",
            "one of `event`, `timestamp`, `data`",
        ),
        ("[1]".to_owned(), "$", "an array", "an object"),
        (long_array, "$", "an array", "an object"),
        (
            nested,
            "$.data.product_sku",
            "an array",
            "a text that is not empty",
        ),
        (
            "{\"event\":\"nps_calculated\"}".to_owned(),
            "$.data",
            "nothing",
            "an object",
        ),
    ];
    for (body, path, found, allowed) in cases {
        let problem = producer.post_json(body).await.problem(422);
        assert_eq!(problem["type"], "/problems/invalid-event");
        assert_eq!(problem["errors"][0]["path"], path, "{problem}");
        assert_eq!(problem["errors"][0]["found"], found, "{problem}");
        assert_eq!(problem["errors"][0]["allowed"], allowed, "{problem}");
        let words = format!("{path}: found {found}, allowed is {allowed}");
        assert_eq!(problem["detail"], words);
    }
    assert_eq!(producer.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_post_is_told_so() {
    let producer = Producer::start().await;
    let json = |request: reqwest::RequestBuilder| {
        request
            .header("content-type", "application/json")
            .body(RATING)
    };
    let nobody = reply(json(producer.http.post(&producer.url))).await;
    nobody.problem(401);
    assert_eq!(nobody.header("www-authenticate"), Some("Bearer"));
    reply(json(producer.post_with("wrong"))).await.problem(401);
    reply(json(producer.post_with(OPERATOR))).await.problem(403);
    reply(json(producer.post_with(APP))).await.id();
    assert_eq!(producer.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_content_types_encodings_routes_and_methods_are_refused() {
    let producer = Producer::start().await;
    let problem = reply(producer.post().body(RATING)).await.problem(415);
    assert_eq!(problem["errors"][0]["found"], "none");
    for other in ["text/xml", "application/jsonp", "text/plain"] {
        let request = producer.post().header("content-type", other);
        let problem = reply(request.body(RATING)).await.problem(415);
        assert_eq!(problem["errors"][0]["found"], other);
        let allowed = problem["errors"][0]["allowed"].as_str().unwrap();
        assert!(allowed.contains("application/x-ndjson"), "{allowed}");
    }
    let request = producer.post().header("content-type", "application/json");
    let request = request.header("content-encoding", "gzip");
    reply(request.body(RATING)).await.problem(415);

    let url = format!("http://{}/v1/event", producer.address);
    reply(producer.http.post(url).bearer_auth(SHOP))
        .await
        .problem(404);
    let get = reply(producer.http.request(Method::GET, &producer.url)).await;
    get.problem(405);
    assert_eq!(get.header("allow"), Some("POST,OPTIONS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_points_at_the_ingest_api_is_a_loop() {
    let producer = Producer::start().await;
    let request = producer.post().header("content-type", "application/json");
    let request = request.header("X-FeedbackPro-Event", "rating_submitted");
    let problem = reply(request.body(RATING)).await.problem(508);
    assert_eq!(problem["type"], "/problems/loop");
    assert_eq!(producer.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_must_be_one_short_visible_text() {
    let producer = Producer::start().await;
    let long = "k".repeat(256);
    for key in ["", "two words", "schlüssel", &long] {
        let request = producer.post().header("content-type", "application/json");
        let request = request.header("idempotency-key", key.as_bytes());
        let problem = reply(request.body(RATING)).await.problem(400);
        assert_eq!(problem["errors"][0]["path"], "Idempotency-Key");
    }
    let request = producer.post().header("content-type", "application/json");
    let twice = request
        .header("idempotency-key", "a")
        .header("idempotency-key", "b");
    reply(twice.body(RATING)).await.problem(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn ingest_tokens_have_a_rate_and_account_tokens_have_none() {
    let producer = Producer::start_with(&[("ingest.max_per_second", "2")]).await;
    let post = |token| {
        let request = producer
            .post_with(token)
            .header("content-type", "application/json");
        reply(request.body(RATING))
    };
    let mut refused = None;
    for _ in 0..50 {
        let reply = post(APP).await;
        if reply.status != 202 {
            refused = Some(reply);
            break;
        }
    }
    let refused = refused.expect("50 events in less than 24 seconds");
    assert_eq!(refused.problem(429)["type"], "/problems/rate-limited");
    assert_eq!(refused.header("retry-after"), Some("1"));
    for _ in 0..10 {
        post(SHOP).await.id();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_is_a_whole_document() {
    let producer = Producer::start().await;
    let problem = producer.post_json(RATING.replace("4,", "6,")).await.json();
    assert_eq!(problem["type"], json!("/problems/invalid-event"));
    assert_eq!(problem["title"], json!("Invalid event"));
    assert_eq!(problem["status"], json!(422));
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .starts_with("$.data.score: ")
    );
}
