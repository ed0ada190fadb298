//! Records of the topics are as the AsyncAPI document says.

use std::{collections::BTreeSet, time::Duration};

use e2e::{Answer, Broker, Receiver, Stack, events, kafka::Record};
use serde_json::{Map, Value};

use super::fits::{Checks, close};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn records_of_the_topics_are_as_described() {
    let receiver = Receiver::start();
    receiver.answer("/broken", Answer::Status(500));
    let stack = Stack::builder().schedule(&["1s"]).start().await;
    let client = &stack.client;
    let kinds = [
        "new_feedback",
        "rating_submitted",
        "nps_calculated",
        "widget_dismissed",
    ];
    client.create_endpoint(&receiver.url("/hook"), &kinds).await;
    let broken = client
        .create_endpoint(&receiver.url("/broken"), &kinds)
        .await;
    client.secret(&broken.id).await;
    for event in events::one_of_each() {
        client.post_event(&event).await;
    }
    let failed = client.wait_for_failed(4, SOON).await;
    client
        .delete_failed(failed[0]["id"].as_str().expect("it has an id"))
        .await;
    client
        .resend(failed[1]["id"].as_str().expect("it has an id"))
        .await;

    let document = std::fs::read_to_string(super::document("asyncapi.json"));
    let document = document.expect("the document is committed");
    let mut document: Value = serde_json::from_str(&document).expect("it is JSON");
    close(&mut document["components"]["schemas"]);
    let broker = Broker::shared().await;
    let mut checks = Checks::default();
    for (channel, kinds) in [("events", 4), ("attempts", 1), ("failed", 2), ("audit", 1)] {
        let topic = document["channels"][channel]["address"]
            .as_str()
            .expect("it has a name");
        let records = e2e::until("a record of each kind", SOON, async || {
            let records = broker.read(&stack.name(topic)).await;
            let messages = records
                .iter()
                .filter_map(|record| message(&document, channel, record));
            let seen: BTreeSet<String> = messages.collect();
            (seen.len() == kinds).then_some(records)
        })
        .await;
        for record in &records {
            check(&mut checks, &document, channel, record);
        }
    }
    checks.run(&document["components"]).await;
}

/// Which message of the channel a record is: by its event, or by whether it has a value.
fn message(document: &Value, channel: &str, record: &Record) -> Option<String> {
    let messages = document["channels"][channel]["messages"].as_object()?;
    let event = record.header("ce_type").unwrap_or_default();
    if messages.contains_key(&event) {
        return Some(event);
    }
    let fits = |name: &&String| {
        let payload = &document["components"]["messages"][name.as_str()]["payload"];
        (payload["type"] == "null") == record.value.is_none()
    };
    messages.keys().find(fits).cloned()
}

fn check(checks: &mut Checks, document: &Value, channel: &str, record: &Record) {
    let name = message(document, channel, record).expect("each record is a message");
    let message = &document["components"]["messages"][&name];
    let value = record.value.as_ref().map_or(Value::Null, |_| record.json());
    let shown = format!("{name} {} {value}", record.key_text());
    checks.add(&message["payload"], value, &shown);
    let key = Value::from(record.key_text());
    let schema = &message["bindings"]["kafka"]["key"];
    checks.add(schema, key, &shown);
    if let Some(schema) = message.get("headers") {
        let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes).into_owned());
        let headers: Map<String, Value> = record
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect();
        let mut schema = schema.clone();
        schema["additionalProperties"] = false.into();
        checks.add(&schema, headers.into(), &shown);
    }
}
