//! What the first page costs over the wire.

use domain::{AfterAttempt, EndpointId};
use reqwest::Method;
use reqwest::header::CONTENT_ENCODING;

use super::failed_service::FailedService;
use super::fixture::{Console, SHOP, cluster};
use super::visitor::{Visitor, filled, on_loopback};
use super::written::{Written, holds};

/// Bytes, with styles, script and icon.
const MOST: usize = 60_000;
/// More than a page shows.
const MANY: usize = 60;

/// The bytes of an answer as they come, packed where that is taken; and its text.
async fn weigh(visitor: &Visitor, path: &str) -> (usize, String) {
    let request = visitor.request(Method::GET, path);
    let packed = request.header("accept-encoding", "gzip").send().await;
    let mut packed = packed.unwrap();
    assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip", "{path}");
    let mut bytes = 0;
    while let Some(part) = packed.chunk().await.unwrap() {
        bytes += part.len();
    }
    (bytes, visitor.get(path).await.body)
}

#[tokio::test]
async fn each_first_page_stays_under_60_kb_however_much_it_shows() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let failed = FailedService::start(&brokers).await;
    let console = Console::start(failed.known_to(on_loopback(&brokers))).await;
    let written = Written::on(&brokers);
    let event = written.event("shop").await;
    for number in 0..MANY {
        let to = if number < 10 {
            let url = format!("https://shop.example.com/a/rather/long/path/{number}");
            let (_, answer) = console.endpoint(&url).await;
            answer.text("id").parse().unwrap()
        } else {
            EndpointId::generate()
        };
        written
            .attempt(&event, to, 1, AfterAttempt::Delivered)
            .await;
        failed.gets(&event, to).await;
    }
    holds(&console, MANY as u64).await;
    let visitor = Visitor::signed_in(&console, SHOP).await;
    let nobody = Visitor::new(&console);
    for path in [
        "/overview",
        "/endpoints",
        "/deliveries",
        "/failed",
        "/endpoints/new",
        "/events",
        "/api",
        "/api/operations/createEndpoint",
        "/sign-in",
    ] {
        let who = if path == "/sign-in" {
            &nobody
        } else {
            &visitor
        };
        let (mut bytes, text) = weigh(who, path).await;
        for part in text.split("\"/assets/").skip(1) {
            let file = part.split_once('"').unwrap().0;
            bytes += weigh(&visitor, &format!("/assets/{file}")).await.0;
        }
        assert!(bytes < MOST, "{path}: {bytes} bytes");
    }
}

#[tokio::test]
async fn answers_to_forms_are_not_packed() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let (path, _) = console.endpoint("https://shop.example.com/hook").await;
    let visitor = Visitor::signed_in(&console, SHOP).await;
    let secret = path.replace("/api/v1", "") + "/secret";
    let request = visitor.request(Method::POST, &secret);
    let request = request
        .header("sec-fetch-site", "same-origin")
        .header("accept-encoding", "gzip");
    let fields = [("form_token", visitor.form_token.as_str())];
    let page = visitor.send(filled(request, &fields)).await;
    assert_eq!(page.header("content-encoding"), "");
    page.has("whsec_");
}
