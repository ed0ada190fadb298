//! The least that consuming and posting cost, apart from each other.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use sha2::Sha256;
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

use crate::load::BYTES;

/// How long a record is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads `count` records from the beginning of a topic and signs each.
pub(super) fn consume(brokers: &str, topic: &str, count: usize) -> anyhow::Result<()> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "bare")
        .set("enable.auto.commit", "false")
        .create()?;
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let partitions = metadata.topics()[0].partitions();
    let mut all = TopicPartitionList::new();
    for partition in partitions {
        all.add_partition_offset(topic, partition.id(), Offset::Beginning)?;
    }
    consumer.assign(&all)?;
    for _ in 0..count {
        let record = consumer.poll(PATIENCE).context("no record came")??;
        let mut mac = Hmac::<Sha256>::new_from_slice(super::SECRET)?;
        mac.update(record.payload().unwrap_or_default());
        std::hint::black_box(mac.finalize());
    }
    Ok(())
}

/// Posts `count` bodies of [`BYTES`] bytes with the headers of a delivery, one
/// after the other on each connection.
pub(super) fn post(url: &str, count: usize, connections: usize) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let uri: hyper::Uri = url.parse()?;
    let left = Rc::new(Cell::new(count));
    LocalSet::new().block_on(&runtime, async {
        let mut workers = JoinSet::new();
        for _ in 0..connections {
            workers.spawn_local(worker(uri.clone(), Rc::clone(&left)));
        }
        while let Some(done) = workers.join_next().await {
            done??;
        }
        Ok(())
    })
}

async fn worker(uri: hyper::Uri, left: Rc<Cell<usize>>) -> anyhow::Result<()> {
    let authority = uri.authority().context("a URL names a host")?.as_str();
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let mut driver = JoinSet::new();
    driver.spawn_local(connection);
    let body = Bytes::from(vec![b'x'; BYTES]);
    while let Some(next) = left.get().checked_sub(1) {
        left.set(next);
        let request = hyper::Request::post(uri.path()).header("host", authority);
        let request = HEADERS.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        sender.ready().await?;
        let answer = sender
            .send_request(request.body(Full::new(body.clone()))?)
            .await?;
        answer.into_body().collect().await?;
    }
    Ok(())
}

/// The headers of a delivery.
const HEADERS: [(&str, &str); 10] = [
    ("content-type", "application/json; charset=utf-8"),
    ("user-agent", "FeedbackPro-Webhooks/0.1"),
    ("x-feedbackpro-event", "new_feedback"),
    (
        "x-feedbackpro-signature",
        "sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    ("idempotency-key", "evt_0123456789abcdef0123456789abcdef"),
    ("webhook-id", "evt_0123456789abcdef0123456789abcdef"),
    ("webhook-timestamp", "1718460000"),
    (
        "webhook-signature",
        "v1,MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWI=",
    ),
    ("x-feedbackpro-attempt", "1"),
    (
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
];
