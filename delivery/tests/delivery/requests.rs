//! What goes over the wire.

use std::cell::Cell;
use std::sync::Arc;

use bytes::Bytes;
use delivery::{Connector, Egress, Limits};
use http::HeaderMap;
use tokio::task::JoinSet;

use crate::receiver::{OK, Receiver};
use crate::senders::{BODY, assert_answered, client, fill, loopback_guard, post, target};

#[tokio::test]
async fn a_request_is_a_post_of_the_body_with_its_headers() {
    let receiver = Receiver::answering(OK).await;
    let client = client(Limits::default());
    let target = target(&client, &format!("{}/a%20b?c=d&e", receiver.url()));
    let attempt = post(&client, &target).await;

    assert_answered(&attempt, 200);
    assert_eq!(attempt.response_start, b"ok");
    assert_eq!(attempt.reason, None);
    assert_eq!(attempt.failure(), None);
    let request = &receiver.requests()[0];
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.split("\r\n").collect();
    assert_eq!(lines.remove(0), "POST /hook/a%20b?c=d&e HTTP/1.1");
    lines.sort_unstable();
    let version = env!("CARGO_PKG_VERSION");
    let expected = [
        "content-length: 7",
        "content-type: application/json; charset=utf-8",
        &format!("host: {}", receiver.address),
        "idempotency-key: evt_1",
        &format!("user-agent: FeedBackPro-Webhooks/{version}"),
    ];
    assert_eq!(lines, expected);
    assert_eq!(body.as_bytes(), BODY);
}

#[tokio::test]
async fn a_test_event_is_sent_from_any_task_on_a_connection_of_its_own() {
    let receiver = Receiver::answering(OK).await;
    let connector = Connector::new(loopback_guard(), Limits::default(), &Egress::default());
    let connector = Arc::new(connector.unwrap());
    let target = connector.guard().check_url(&receiver.url()).unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..2 {
        let (connector, target) = (Arc::clone(&connector), target.clone());
        tasks.spawn(async move { connector.send_once(&target, fill, Bytes::new()).await });
    }
    while let Some(attempt) = tasks.join_next().await {
        let attempt = attempt.unwrap();
        assert_answered(&attempt, 200);
        assert!(!attempt.reused_connection);
    }
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test]
async fn an_outgoing_request_is_filled_at_once_and_sent_when_asked_to() {
    let receiver = Receiver::answering(OK).await;
    let client = client(Limits::default());
    let target = target(&client, &receiver.url());
    let filled = Cell::new(0);
    let outgoing = || {
        let fill = |_: &mut HeaderMap| filled.set(filled.get() + 1);
        client.outgoing(&target, fill, Bytes::from_static(BODY))
    };
    assert_answered(&outgoing().send().await, 200);
    let [one, other, dropped] = [outgoing(), outgoing(), outgoing()];
    assert_eq!(filled.get(), 4);
    drop(dropped);
    // Until it is sent it holds no connection.
    assert_eq!(client.idle_connections(), 1);
    let (one, other) = tokio::join!(one.send(), other.send());
    assert_answered(&one, 200);
    assert_answered(&other, 200);
    assert_eq!(filled.get(), 4);
    assert_eq!(receiver.requests().len(), 3);
}

#[tokio::test]
async fn a_large_body_arrives_whole() {
    let receiver = Receiver::answering(OK).await;
    let client = client(Limits::default());
    let target = target(&client, &receiver.url());
    let body = "x".repeat(1 << 20);
    for _ in 0..2 {
        let attempt = client
            .outgoing(&target, fill, Bytes::from(body.clone()))
            .send()
            .await;
        assert_answered(&attempt, 200);
    }
    for request in receiver.requests() {
        assert!(request.ends_with(&body));
    }
}
