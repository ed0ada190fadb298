//! Clusters that want TLS: by name and password, and by certificate.

use std::{sync::Arc, time::Duration};

use e2e::kafka::Way;
use e2e::{Answer, Binary, Broker, Receiver, Stack, StackBuilder, events, until};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode::{Authentication, BrokerTransportFailure, SSL};

const SOON: Duration = Duration::from_secs(60);
const RATING: &[&str] = &["rating_submitted"];

#[tokio::test(flavor = "multi_thread")]
async fn an_event_goes_its_whole_way_over_sasl_ssl_and_over_mtls() {
    let (broker, secured) = Broker::secured().await;
    for way in [secured.by_password(), secured.by_certificate()] {
        let receiver = Receiver::start();
        receiver.answer("/hook", Answer::failing(2, 500));
        let stack = Stack::builder().broker(&broker).schedule(&["1s"]);
        let stack = by(stack, &way).start().await;
        stack
            .client
            .create_endpoint(&receiver.url("/hook"), RATING)
            .await;
        let id = stack.client.post_event(&events::rating_submitted(5)).await;
        let failed = stack.client.wait_for_failed(1, SOON).await;
        assert_eq!(failed[0]["event_id"], id.as_str());
        // A re-send is a transaction.
        let delivery = failed[0]["id"].as_str().expect("an entry has an id");
        stack.client.resend(delivery).await;
        let got = receiver.wait_for_count("/hook", 3, SOON).await;
        assert_eq!(got[2].webhook_id(), id);
    }

    assert!(answers(&secured.by_password()).await);
    assert!(answers(&secured.by_certificate()).await);
    let wrong = secured.by_password().but("sasl.password", Some("wrong"));
    assert!(!answers(&wrong).await, "with a wrong password");
    let nobody = secured
        .by_certificate()
        .but("ssl.certificate.location", None)
        .but("ssl.key.location", None);
    assert!(!answers(&nobody).await, "without a certificate");
    let stranger = secured.by_password().but("ssl.ca.location", None);
    assert!(!answers(&stranger).await, "without its authority");
}

/// All four binaries reach the cluster this way.
fn by(stack: StackBuilder, way: &Way) -> StackBuilder {
    Binary::ALL.into_iter().fold(stack, |stack, binary| {
        stack
            .set(binary, "kafka.brokers", way.brokers.as_str())
            .set(binary, "kafka.properties", way.properties.clone())
    })
}

/// Whether the broker answers a client that comes this way, or one of the two refuses the other.
async fn answers(way: &Way) -> bool {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &way.brokers)
        .set("log_level", "0");
    for (name, value) in &way.properties {
        config.set(name, value.as_str().expect("properties are texts"));
    }
    let client: BaseConsumer = config.create().expect("the properties can be used");
    let client = Arc::new(client);
    until("an answer or a refusal", SOON, async || {
        let asked = Arc::clone(&client);
        let answer = tokio::task::spawn_blocking(move || {
            if asked.fetch_metadata(None, Duration::from_secs(1)).is_ok() {
                return Some(true);
            }
            let told = asked.poll(Duration::ZERO)?.err()?.rdkafka_error_code()?;
            // A side that refuses a certificate may leave before it has said so.
            let refusals = [Authentication, SSL, BrokerTransportFailure];
            refusals.contains(&told).then_some(false)
        });
        answer.await.expect("asking does not panic")
    })
    .await
}
