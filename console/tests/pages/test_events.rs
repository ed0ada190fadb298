//! Test events, before and after an endpoint is saved.

use super::fixture::{Console, SHOP, cluster};
use super::receiver::Receiver;
use super::visitor::{Visitor, on_loopback};

#[tokio::test]
async fn what_will_go_out_is_shown_first_and_then_what_came_back() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let receiver = Receiver::start(200, "{\"ok\":true}").await;
    let visitor = Visitor::signed_in(&console, SHOP).await;
    let fields = [
        ("url", receiver.url.as_str()),
        ("header_name", "X-Team"),
        ("header_value", "nord"),
        ("event", "nps_calculated"),
        ("description", "stays"),
    ];
    let preview = [&fields[..], &[("do", "preview")]].concat();
    let page = visitor.post("/endpoints/test", &preview).await;
    for shown in [
        "x-feedbackpro-signature",
        "x-team",
        "nps_55120",
        "value=\"stays\"",
        "Id, time and signature are examples",
    ] {
        page.has(shown);
    }
    assert!(receiver.received().is_empty());

    let send = [&fields[..], &[("do", "send")]].concat();
    let page = visitor.post("/endpoints/test", &send).await;
    page.has("Delivered");
    page.has("<dd>200</dd>");
    page.has("&quot;ok&quot;");
    page.has("value=\"stays\"");
    let received = receiver.received();
    assert_eq!(received[0].header("x-team"), "nord");
    assert_eq!(received[0].header("x-feedbackpro-test"), "true");
    let list = console.get("/api/v1/endpoints", SHOP).await;
    assert!(list.body["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_wrong_is_said_in_words_of_the_language() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let moved = Receiver::start(301, "").await;
    let closed = "http://127.0.0.1:9/closed".to_owned();
    for (url, english, german) in [
        (
            &moved.url,
            "redirects to another URL",
            "leitet auf eine andere URL um",
        ),
        (
            &closed,
            "Nothing answers at this address",
            "antwortet nichts",
        ),
    ] {
        let (_, answer) = console.endpoint(url).await;
        let path = format!("/endpoints/{}/test", answer.text("id"));
        let mut visitor = Visitor::signed_in(&console, SHOP).await;
        for (language, says) in [("en", english), ("de", german)] {
            visitor.language = language;
            let page = visitor.get(&path).await;
            page.has("x-feedbackpro-signature");
            page.has(if language == "en" {
                "are examples"
            } else {
                "sind Beispiele"
            });
            let page = visitor.post(&path, &[("event", "new_feedback")]).await;
            page.has(says);
        }
    }
}

#[tokio::test]
async fn an_account_may_send_ten_a_minute() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let receiver = Receiver::start(200, "").await;
    let (_, answer) = console.endpoint(&receiver.url).await;
    let path = format!("/endpoints/{}/test", answer.text("id"));
    let visitor = Visitor::signed_in(&console, SHOP).await;
    for _ in 0..10 {
        let page = visitor.post(&path, &[("event", "new_feedback")]).await;
        assert_eq!(page.status, 200);
    }
    let page = visitor.post(&path, &[("event", "new_feedback")]).await;
    assert_eq!(page.status, 429);
    assert!(!page.header("retry-after").is_empty());
    page.has("10 test events a minute");
    assert_eq!(receiver.received().len(), 10);
}
