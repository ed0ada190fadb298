//! The consumer that people write in an afternoon: a stream of records, so
//! many at once, each signed and posted by reqwest. Offsets are committed by
//! the client every five seconds, whether a record was delivered or not; what
//! fails is gone.

use futures_util::StreamExt as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::{ClientConfig, error::KafkaResult};
use sha2::Sha256;

pub(super) fn run(
    brokers: &str,
    topic: &str,
    group: &str,
    at_once: usize,
    urls: Vec<String>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let consumer: StreamConsumer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("group.id", group)
            .set("auto.offset.reset", "earliest")
            .create()?;
        consumer.subscribe(&[topic])?;
        let client = reqwest::Client::builder()
            .timeout(std::time::Duration::from_secs(5))
            .build()?;
        consumer
            .stream()
            .for_each_concurrent(at_once, |record| deliver(&client, &urls, record))
            .await;
        Ok(())
    })
}

async fn deliver(
    client: &reqwest::Client,
    urls: &[String],
    record: KafkaResult<BorrowedMessage<'_>>,
) {
    let Ok(record) = record else { return };
    let body = record.payload().unwrap_or_default().to_vec();
    let id = record.headers().and_then(|headers| {
        let id = headers.iter().find(|header| header.key == "ce_id")?;
        std::str::from_utf8(id.value?).ok()
    });
    let mut mac = Hmac::<Sha256>::new_from_slice(super::SECRET).expect("any length will do");
    mac.update(&body);
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for url in urls {
        let answer = client
            .post(url)
            .header("content-type", "application/json")
            .header("x-feedbackpro-signature", format!("sha256={hex}"))
            .header("webhook-id", id.unwrap_or_default())
            .body(body.clone())
            .send()
            .await;
        if let Ok(answer) = answer {
            // To its end, so that the connection can be used again.
            answer.error_for_status().ok();
        }
    }
}
