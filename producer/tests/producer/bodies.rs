//! Bodies that are too long, and how they are sent.

use std::io::Write as _;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{DEADLINE, Producer, RATING, SHOP, reply};

const TEN_MB: usize = 10_000_000;

fn with_comment(length: usize) -> String {
    let comment = "ä".repeat(length / 2);
    format!(r#"{{"event":"new_feedback","data":{{"comment":"{comment}","session_page":"/"}}}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_64_kib_is_taken_and_a_longer_one_is_413() {
    let producer = Producer::start().await;
    producer.post_json(with_comment(65_000)).await.id();
    let problem = producer.post_json(with_comment(66_000)).await.problem(413);
    assert_eq!(problem["type"], "/problems/event-too-large");
    assert!(problem["detail"].as_str().unwrap().contains("65536"));
    let much_space = format!("{RATING}{}", " ".repeat(100_000));
    producer.post_json(much_space).await.id();
    let too_much_space = format!("{RATING}{}", " ".repeat(200_000));
    let problem = producer.post_json(too_much_space).await.problem(413);
    assert_eq!(problem["type"], "/problems/body-too-large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_10_mb_is_answered_413_and_the_connection_is_not_cut() {
    let producer = Producer::start().await;
    producer.post_json(vec![b' '; TEN_MB]).await.problem(413);
    producer.post_lines(vec![b'\n'; TEN_MB]).await.problem(413);
    assert_eq!(producer.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_everything_before_it_reads_gets_the_refusal() {
    let producer = Producer::start().await;
    for (token, status) in [(SHOP, "413"), ("wrong", "401")] {
        let mut stream = TcpStream::connect(&producer.address).await.unwrap();
        stream.write_all(&head(token, TEN_MB)).await.unwrap();
        stream.write_all(&vec![b' '; TEN_MB]).await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_for_100_continue_is_refused_without_sending() {
    let producer = Producer::start().await;
    let mut stream = TcpStream::connect(&producer.address).await.unwrap();
    let mut head = head("wrong", TEN_MB);
    head.truncate(head.len() - 2);
    head.extend_from_slice(b"Expect: 100-continue\r\n\r\n");
    stream.write_all(&head).await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_in_chunks_without_a_length_is_bounded_too() {
    let producer = Producer::start().await;
    let mut stream = TcpStream::connect(&producer.address).await.unwrap();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SHOP}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..100 {
        let mut chunk = Vec::new();
        write!(chunk, "186A0\r\n").unwrap();
        chunk.extend_from_slice(&[b' '; 100_000]);
        chunk.extend_from_slice(b"\r\n");
        stream.write_all(&chunk).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_announced_and_do_not_come_take_no_more_than_their_room() {
    let producer = Producer::start().await;
    // 64 MiB in announced bodies; the connections are held.
    let mut slow = Vec::new();
    let mut announce = head(SHOP, 1024 * 1024);
    let json = b"application/json".to_vec();
    let at = announce
        .windows(json.len())
        .position(|it| it == json)
        .unwrap();
    announce.splice(at..at + json.len(), b"application/x-ndjson".to_vec());
    for _ in 0..64 {
        let mut stream = TcpStream::connect(&producer.address).await.unwrap();
        stream.write_all(&announce).await.unwrap();
        slow.push(stream);
    }
    crate::harness::until("the room is taken", async || {
        let request = producer.post().header("content-type", "application/json");
        let answer = reply(request.body(RATING)).await;
        if answer.status == 503 {
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
        answer.status == 503
    })
    .await;
    drop(slow);
    crate::harness::until("the room is free again", async || {
        producer.post_json(RATING).await.status == 202
    })
    .await;
}

fn head(token: &str, length: usize) -> Vec<u8> {
    format!(
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

async fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&answer).contains("\"status\"") {
        let read = timeout(DEADLINE, stream.read(&mut buffer)).await;
        let read = read.expect("an answer in time").expect("no reset");
        assert_ne!(read, 0, "the connection was closed without an answer");
        answer.extend_from_slice(&buffer[..read]);
    }
    timeout(Duration::from_secs(1), stream.shutdown())
        .await
        .ok();
    String::from_utf8(answer).unwrap()
}
