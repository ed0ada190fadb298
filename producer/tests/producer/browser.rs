//! The widget on a shop's page.

use reqwest::{Method, RequestBuilder};

use crate::harness::{
    APP, ORIGIN, Producer, RATING, Reply, SHOP, WIDGET, cluster, reply, token, until,
};

const OTHER: &str = "https://evil.example";

async fn preflight(producer: &Producer, origin: &str) -> Reply {
    let request = producer.http.request(Method::OPTIONS, &producer.url);
    let request = request
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type",
        );
    reply(request).await
}

fn widget(producer: &Producer, token: &str) -> RequestBuilder {
    let request = producer.post_with(token).body(RATING);
    request.header("content-type", "application/json")
}

fn readable(reply: &Reply) -> Option<&str> {
    assert_eq!(reply.header("vary"), Some("Origin"));
    reply.header("access-control-allow-origin")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_may_post_from_the_shops_origin_and_from_no_other() {
    let producer = Producer::start().await;
    let allowed = preflight(&producer, ORIGIN).await;
    assert_eq!(allowed.status, 204);
    assert_eq!(readable(&allowed), Some(ORIGIN));
    assert_eq!(allowed.header("access-control-allow-methods"), Some("POST"));
    assert_eq!(
        allowed.header("access-control-allow-headers"),
        Some("authorization, content-type, idempotency-key, traceparent")
    );
    assert!(allowed.header("access-control-max-age").is_some());
    assert_eq!(allowed.header("access-control-allow-credentials"), None);

    for other in [OTHER, "null", "https://www.shop.example.evil.example"] {
        let refused = preflight(&producer, other).await;
        refused.problem(403);
        assert_eq!(readable(&refused), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_widget_can_read_every_answer_also_refusals() {
    let producer = Producer::start().await;
    let accepted = reply(widget(&producer, WIDGET).header("origin", ORIGIN)).await;
    accepted.id();
    assert_eq!(readable(&accepted), Some(ORIGIN));
    let refused = reply(widget(&producer, "wrong").header("origin", ORIGIN)).await;
    refused.problem(401);
    assert_eq!(readable(&refused), Some(ORIGIN));
    let invalid = widget(&producer, WIDGET).header("origin", ORIGIN).body("{");
    let invalid = reply(invalid).await;
    invalid.problem(400);
    assert_eq!(readable(&invalid), Some(ORIGIN));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingest_token_is_bound_to_its_origins() {
    let producer = Producer::start().await;
    let elsewhere = reply(widget(&producer, WIDGET).header("origin", OTHER)).await;
    let problem = elsewhere.problem(403);
    assert!(problem["detail"].as_str().unwrap().contains(OTHER));
    assert_eq!(readable(&elsewhere), None);
    reply(widget(&producer, WIDGET)).await.problem(403);
    // Without origins it is for what is no web page.
    reply(widget(&producer, APP)).await.id();
    reply(widget(&producer, APP).header("origin", ORIGIN))
        .await
        .problem(403);
    // A backend's token has no origins to check.
    reply(widget(&producer, SHOP).header("origin", ORIGIN))
        .await
        .id();
}

#[tokio::test(flavor = "multi_thread")]
async fn send_beacon_posts_text_with_the_token_in_the_address() {
    let producer = Producer::start().await;
    let beacon = |token: &str, media: &str| {
        let url = format!("{}?key={token}", producer.url);
        let request = producer.http.post(url).header("origin", ORIGIN);
        reply(request.header("content-type", media).body(RATING))
    };
    let accepted = beacon(WIDGET, "text/plain;charset=UTF-8").await;
    accepted.id();
    assert_eq!(readable(&accepted), Some(ORIGIN));
    beacon("wrong", "text/plain").await.problem(401);
    beacon(SHOP, "text/plain").await.problem(403);
    beacon(WIDGET, "application/json").await.problem(401);
    assert_eq!(producer.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_added_to_the_settings_file_is_taken_without_a_restart() {
    let folder = tempfile();
    let file = folder.join("producer.toml");
    let settings = |tokens: &[String]| format!("[auth]\ntokens = [{}]\n", tokens.join(", "));
    let shop = token("shop", "shop", "account", SHOP, &[]);
    std::fs::write(&file, settings(std::slice::from_ref(&shop))).unwrap();
    let producer = Producer::spawn(cluster(), &[], std::slice::from_ref(&file)).await;
    producer.wait_ready().await;
    assert_eq!(preflight(&producer, ORIGIN).await.status, 403);

    let new = token("widget", "shop", "ingest", WIDGET, &[ORIGIN]);
    std::fs::write(&file, settings(&[shop, new])).unwrap();
    until("the origin is known", async || {
        preflight(&producer, ORIGIN).await.status == 204
    })
    .await;
    until("the token is known", async || {
        let answer = reply(widget(&producer, WIDGET).header("origin", ORIGIN)).await;
        answer.status == 202
    })
    .await;
    std::fs::remove_dir_all(folder).unwrap();
}

fn tempfile() -> std::path::PathBuf {
    let name = format!("producer-test-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
