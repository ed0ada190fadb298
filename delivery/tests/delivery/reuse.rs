//! Connections that are used again, and those that must not be.

use std::time::Duration;

use delivery::{Client, Limits};
use domain::Cause;
use tokio::time::{Instant, sleep};

use crate::receiver::{Closing, OK, Receiver, response};
use crate::senders::{assert_answered, assert_failed, client, post, short, target};

#[tokio::test]
async fn requests_in_turn_share_one_connection() {
    let receiver = Receiver::answering(OK).await;
    let client = client(Limits::default());
    let target = target(&client, &receiver.url());
    for n in 0..50 {
        let attempt = post(&client, &target).await;
        assert_answered(&attempt, 200);
        assert_eq!(attempt.reused_connection, n > 0);
    }
    assert_eq!(receiver.connections(), 1);
    assert_eq!(client.idle_connections(), 1);
}

#[tokio::test]
async fn requests_at_once_have_a_connection_each() {
    let receiver = Receiver::answering(OK).await;
    let client = client(Limits::default());
    let target = target(&client, &receiver.url());
    for _ in 0..2 {
        let (a, b, c) = tokio::join!(
            post(&client, &target),
            post(&client, &target),
            post(&client, &target)
        );
        for attempt in [a, b, c] {
            assert_answered(&attempt, 200);
        }
    }
    assert_eq!(receiver.connections(), 3);
    assert_eq!(client.idle_connections(), 3);
}

#[tokio::test]
async fn a_connection_closed_just_as_it_is_reused_costs_one_more_request() {
    let receiver = Receiver::start(|mut peer| async move {
        peer.request().await;
        peer.write(OK).await;
        if peer.number == 0 {
            // Reads the second request, and goes without a word.
            peer.request().await;
        } else {
            peer.answer_all(OK).await;
        }
    })
    .await;
    let client = client(Limits::default());
    let target = target(&client, &receiver.url());
    assert_answered(&post(&client, &target).await, 200);
    let second = post(&client, &target).await;
    assert_answered(&second, 200);
    assert!(!second.reused_connection);
    assert_eq!(receiver.connections(), 2);
    let requests = receiver.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(
        requests[1], requests[2],
        "the same request with all its headers"
    );
}

#[tokio::test]
async fn connections_closed_while_unused_are_not_noticed_by_anyone() {
    let closing = Closing::new();
    let script = closing.clone();
    let receiver = Receiver::start(move |peer| script.clone().script(peer)).await;
    let client = client(Limits::default());
    let target = target(&client, &receiver.url());
    for n in 1..4 {
        let (a, b) = tokio::join!(post(&client, &target), post(&client, &target));
        for attempt in [a, b] {
            assert_answered(&attempt, 200);
            assert!(!attempt.reused_connection);
        }
        assert_eq!(client.idle_connections(), 2);
        assert_eq!(receiver.connections(), 2 * n);
        closing.close(2).await;
    }
    assert_eq!(receiver.requests().len(), 6, "none was sent twice");
}

#[tokio::test]
async fn an_answer_that_breaks_off_on_a_reused_connection_is_not_repeated() {
    let receiver = Receiver::start(|mut peer| async move {
        peer.request().await;
        peer.write(OK).await;
        peer.request().await;
        peer.write("HTTP/1.1 20").await;
    })
    .await;
    let client = client(Limits::default());
    let target = target(&client, &receiver.url());
    assert_answered(&post(&client, &target).await, 200);
    let second = post(&client, &target).await;
    assert_failed(&second, Cause::Protocol, "closed before");
    assert!(second.reused_connection);
    assert_eq!(receiver.requests().len(), 2);
}

#[tokio::test]
async fn a_time_out_on_a_reused_connection_is_not_repeated() {
    let receiver = Receiver::start(|mut peer| async move {
        peer.request().await;
        peer.write(OK).await;
        peer.closed().await;
    })
    .await;
    let client = client(short());
    let target = target(&client, &receiver.url());
    assert_answered(&post(&client, &target).await, 200);
    assert_failed(&post(&client, &target).await, Cause::Timeout, "headers");
    assert_eq!(receiver.connections(), 1);
    assert_eq!(client.idle_connections(), 0);
}

async fn idle_after(answer: impl Into<String>) -> (Client, Receiver) {
    let answer = answer.into();
    let receiver = Receiver::start(move |peer| {
        let answer = answer.clone();
        async move { peer.answer_all(&answer).await }
    })
    .await;
    let client = client(Limits::default());
    assert_answered(&post(&client, &target(&client, &receiver.url())).await, 200);
    (client, receiver)
}

#[tokio::test]
async fn connections_that_cannot_carry_another_request_are_closed() {
    for answer in [
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        // More than was announced: the rest would be taken for the next answer.
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nabcdef",
        &format!("{OK}{}", response("200 OK", "of another request")),
    ] {
        let (client, receiver) = idle_after(answer).await;
        let attempt = post(&client, &target(&client, &receiver.url())).await;
        assert_answered(&attempt, 200);
        assert!(!attempt.reused_connection, "{answer:?}");
    }
}

#[tokio::test]
async fn an_answer_nobody_asked_for_is_not_taken_for_the_next_one() {
    let receiver = Receiver::start(|mut peer| async move {
        peer.request().await;
        peer.write(OK).await;
        peer.write(response("500 Oops", "")).await;
        peer.answer_all(OK).await;
    })
    .await;
    let client = client(Limits::default());
    let target = target(&client, &receiver.url());
    assert_answered(&post(&client, &target).await, 200);
    // The stray bytes may still be on their way: wait until they must have come.
    let deadline = Instant::now() + Duration::from_secs(5);
    while receiver.requests().len() < 2 && Instant::now() < deadline {
        sleep(Duration::from_millis(20)).await;
        assert_answered(&post(&client, &target).await, 200);
    }
}

#[tokio::test]
async fn an_old_connection_is_not_used_again() {
    let receiver = Receiver::answering(OK).await;
    let client = client(Limits {
        idle_timeout: Duration::ZERO,
        ..Limits::default()
    });
    let target = target(&client, &receiver.url());
    for n in 1..4 {
        assert_answered(&post(&client, &target).await, 200);
        assert_eq!(receiver.connections(), n);
    }
    client.close_idle();
    assert_eq!(client.idle_connections(), 0);
}

#[tokio::test]
async fn unused_connections_are_bounded_over_all_endpoints() {
    let client = client(Limits {
        idle_connections: 4,
        ..Limits::default()
    });
    let mut receivers = Vec::new();
    for _ in 0..12 {
        let receiver = Receiver::answering(OK).await;
        assert_answered(&post(&client, &target(&client, &receiver.url())).await, 200);
        assert!(client.idle_connections() <= 4);
        receivers.push(receiver);
    }
    assert!(client.idle_connections() >= 3);
    let newest = target(&client, &receivers[11].url());
    assert!(post(&client, &newest).await.reused_connection);
}
