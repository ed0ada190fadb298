//! What receivers answer, and fail to answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use delivery::Limits;
use domain::{Cause, Outcome};
use tokio::time::{Instant, sleep};

use crate::receiver::{OK, Peer, Receiver, response};
use crate::senders::{
    SOON, assert_answered, assert_failed, client, fill, post, post_once, short, target,
};

/// One attempt at a receiver that reads the request and writes these bytes, and then
/// closes.
async fn answered_with(bytes: impl Into<Vec<u8>>) -> delivery::Attempt {
    let bytes = Arc::new(bytes.into());
    let receiver = Receiver::start(move |mut peer| {
        let bytes = Arc::clone(&bytes);
        async move {
            peer.request().await;
            peer.write(&*bytes).await;
        }
    })
    .await;
    post_once(Limits::default(), &receiver.url()).await
}

#[tokio::test]
async fn each_final_status_is_the_outcome() {
    for (line, status) in [
        ("200 OK", 200),
        ("202 Accepted", 202),
        ("299 Odd", 299),
        ("400 Bad Request", 400),
        ("410 Gone", 410),
        ("429 Too Many Requests", 429),
        ("500 Internal Server Error", 500),
        ("503 Service Unavailable", 503),
        ("999 Odd", 999),
    ] {
        let attempt = answered_with(response(line, "why")).await;
        assert_answered(&attempt, status);
        assert_eq!(attempt.outcome.is_success(), status < 300);
        assert_eq!(attempt.response_start, b"why");
    }
    assert_answered(&answered_with("HTTP/1.1 204 No Content\r\n\r\n").await, 204);
    let failed = answered_with(response("503 No", "")).await.failure();
    assert_eq!(
        failed.as_deref(),
        Some("status: the endpoint answered 503, expected 200 to 299")
    );
}

#[tokio::test]
async fn informational_responses_are_skipped_and_101_is_final() {
    let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
    assert_answered(&answered_with(format!("{early}{OK}")).await, 200);
    let upgrade = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n";
    assert_answered(&answered_with(upgrade).await, 101);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Receiver::answering(OK).await;
    for line in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let redirect = format!(
            "HTTP/1.1 {line}\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
            elsewhere.url()
        );
        let attempt = answered_with(redirect).await;
        let status = attempt.outcome.status().unwrap();
        assert!(line.starts_with(&status.to_string()));
        assert!(
            attempt
                .failure()
                .unwrap()
                .ends_with("redirects are not followed")
        );
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn retry_after_is_read_as_seconds_and_as_a_date() {
    let with = |value: &str| {
        format!("HTTP/1.1 429 Slow\r\nretry-after: {value}\r\ncontent-length: 0\r\n\r\n")
    };
    let wait = |attempt: &delivery::Attempt| match attempt.outcome {
        Outcome::Answered { retry_after, .. } => retry_after,
        Outcome::Failed(_) => panic!("{attempt:?}"),
    };
    let seconds = answered_with(with("7")).await;
    assert_eq!(wait(&seconds), Some(Duration::from_secs(7)));
    let (begun, minute) = (Instant::now(), Duration::from_secs(60));
    let date = httpdate::fmt_http_date(SystemTime::now() + minute);
    let until = wait(&answered_with(with(&date)).await).unwrap();
    // A date has whole seconds.
    let least = minute.saturating_sub(begun.elapsed() + Duration::from_secs(1));
    assert!((least..=minute).contains(&until), "{until:?}");
    assert_eq!(wait(&answered_with(with("soon")).await), None);
}

#[tokio::test]
async fn an_endpoint_that_never_answers_ends_at_the_time_limit() {
    let receiver = Receiver::start(|mut peer| async move {
        peer.request().await;
        peer.closed().await;
    })
    .await;
    let attempt = post_once(short(), &receiver.url()).await;
    assert_failed(
        &attempt,
        Cause::Timeout,
        "waiting for the response's headers",
    );
    assert!(attempt.took >= short().timeout, "{:?}", attempt.took);
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn a_dripping_body_ends_at_the_time_limit() {
    let receiver = Receiver::start(|mut peer| async move {
        peer.request().await;
        let mut open = peer
            .write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
            .await;
        while open {
            open = peer.write("x").await;
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let attempt = post_once(short(), &receiver.url()).await;
    assert_failed(
        &attempt,
        Cause::Timeout,
        "status 200 came, but its body did not end",
    );
    assert!(attempt.took >= short().timeout, "{:?}", attempt.took);
    assert!(attempt.response_start.starts_with(b"xx"));
}

#[tokio::test]
async fn dripping_headers_end_at_the_time_limit() {
    let receiver = Receiver::start(|mut peer| async move {
        peer.request().await;
        let mut open = peer.write("HTTP/1.1 200 OK\r\nx: ").await;
        while open {
            open = peer.write("x").await;
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let attempt = post_once(short(), &receiver.url()).await;
    assert_failed(
        &attempt,
        Cause::Timeout,
        "waiting for the response's headers",
    );
}

#[tokio::test]
async fn of_a_body_of_1_gb_little_is_read_and_the_status_counts() {
    let written = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&written);
    let receiver = Receiver::start(move |mut peer: Peer| {
        let count = Arc::clone(&count);
        async move {
            peer.request().await;
            let chunk = vec![b'x'; 64 * 1024];
            let mut open = peer
                .write("HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n")
                .await;
            while open {
                open = peer.write(&chunk).await;
                count.fetch_add(chunk.len() as u64, Ordering::SeqCst);
            }
            count.fetch_add(1 << 40, Ordering::SeqCst);
        }
    })
    .await;
    let client = client(Limits::default());
    let attempt = post(&client, &target(&client, &receiver.url())).await;
    assert_answered(&attempt, 200);
    assert_eq!(attempt.response_start, vec![b'x'; 512]);
    assert_eq!(client.idle_connections(), 0);
    let deadline = Instant::now() + SOON;
    while written.load(Ordering::SeqCst) < 1 << 40 {
        assert!(Instant::now() < deadline, "the connection was not closed");
        sleep(Duration::from_millis(5)).await;
    }
    let written = written.load(Ordering::SeqCst) - (1 << 40);
    assert!(written < 64 << 20, "{written} bytes left the receiver");
}

#[tokio::test]
async fn a_body_of_just_the_limit_keeps_its_connection() {
    let body = "x".repeat(64 * 1024);
    let receiver = Receiver::start(move |peer| {
        let answer = response("200 OK", &body);
        async move { peer.answer_all(&answer).await }
    })
    .await;
    let client = client(Limits::default());
    let attempt = post(&client, &target(&client, &receiver.url())).await;
    assert_answered(&attempt, 200);
    assert_eq!(client.idle_connections(), 1);
}

#[tokio::test]
async fn header_bombs_are_cut_off() {
    let large = format!(
        "HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n",
        "x".repeat(1 << 20)
    );
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(101));
    for bomb in [large, many] {
        let attempt = answered_with(bomb).await;
        assert_failed(&attempt, Cause::Protocol, "head is too large");
    }
    let endless = Receiver::start(|mut peer| async move {
        peer.request().await;
        let mut open = peer.write("HTTP/1.1 200 OK\r\n").await;
        while open {
            open = peer
                .write("x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n")
                .await;
        }
    })
    .await;
    let attempt = post_once(Limits::default(), &endless.url()).await;
    assert_failed(&attempt, Cause::Protocol, "head is too large");
}

#[tokio::test]
async fn a_gzip_bomb_stays_compressed() {
    // A gzip header and a deflate block that would grow to many times its size.
    let packed = [
        &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..],
        &[0xed; 40 * 1024],
    ]
    .concat();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        packed.len()
    );
    let attempt = answered_with([head.as_bytes(), &packed].concat()).await;
    assert_answered(&attempt, 200);
    assert_eq!(attempt.response_start, packed[..512]);
}

#[tokio::test]
async fn chunked_and_http_1_0_bodies_are_read() {
    let chunked =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n";
    let attempt = answered_with(chunked).await;
    assert_answered(&attempt, 200);
    assert_eq!(attempt.response_start, b"abcde");
    for old in [
        "HTTP/1.0 200 OK\r\n\r\nto the end",
        "HTTP/1.0 200 OK\r\ncontent-length: 10\r\n\r\nto the end",
        "HTTP/1.1 200 OK\r\n\r\nto the end",
    ] {
        let attempt = answered_with(old).await;
        assert_answered(&attempt, 200);
        assert_eq!(attempt.response_start, b"to the end");
    }
}

#[tokio::test]
async fn answers_that_break_off_or_are_not_http_are_protocol_errors() {
    for (answer, words) in [
        ("", "closed before the response's headers were complete"),
        (
            "HTTP/1.1 200 OK\r\ncontent-le",
            "closed before the response's headers",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
            "its body broke off",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
            "its body broke off",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            "its body broke off",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "cannot be read as HTTP/1",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
            "cannot be read",
        ),
        ("HTTP/2 200\r\n\r\n", "cannot be read as HTTP/1"),
        ("SSH-2.0-OpenSSH_9.6\r\n", "cannot be read as HTTP/1"),
        ("HTTP/1.1 20 Odd\r\n\r\n", "cannot be read as HTTP/1"),
    ] {
        let attempt = answered_with(answer).await;
        assert_failed(&attempt, Cause::Protocol, words);
    }
}

#[tokio::test]
async fn a_fresh_connection_that_breaks_is_not_tried_again() {
    let receiver = Receiver::start(|mut peer| async move {
        peer.request().await;
    })
    .await;
    let attempt = post_once(Limits::default(), &receiver.url()).await;
    assert_failed(&attempt, Cause::Protocol, "closed before");
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn an_answer_before_the_whole_request_is_sent_counts() {
    let receiver = Receiver::start(|mut peer| async move {
        peer.write(response("413 Too Large", "no")).await;
        std::future::pending().await
    })
    .await;
    let client = client(Limits::default());
    let target = target(&client, &receiver.url());
    let body = Bytes::from(vec![b'x'; 32 << 20]);
    let attempt = client.outgoing(&target, fill, body).send().await;
    assert_answered(&attempt, 413);
    assert_eq!(attempt.response_start, b"no");
    assert_eq!(client.idle_connections(), 0);
}

#[tokio::test]
async fn a_port_where_nothing_listens_is_a_connect_error() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}/", free.local_addr().unwrap());
    drop(free);
    let attempt = post_once(Limits::default(), &gone).await;
    assert_failed(&attempt, Cause::Connect, "refused");
}
