//! The AsyncAPI document (3.0): the topics that analytics may read.

mod headers;
mod records;

use domain::{Cleanup, TopicSpec, Topics};
use serde_json::{Map, Value, json};

use crate::components::Components;
use records::Record;

const ABOUT: &str = "\
Read them with a consumer group of your own and `isolation.level=read_committed`; nothing here \
asks you to write. An environment's prefix, such as `staging.`, stands before each name.\n\n\
A record may come more than once: events are told apart by `ce_id`, attempts by delivery and \
number. Fields and kinds of records may be added: ignore what you do not know. Events hold \
personal data (`email`, `comment`); attempts and the audit hold none.";

/// The document.
pub(crate) fn document() -> Value {
    let mut components = Components::new();
    let mut channels = Map::new();
    let mut operations = Map::new();
    let mut messages = Map::new();
    for channel in all() {
        let name = channel.name;
        let references: Map<String, Value> = channel
            .records
            .iter()
            .map(|record| {
                let path = format!("#/components/messages/{}", record.name);
                (record.name.to_owned(), json!({"$ref": path}))
            })
            .collect();
        channels.insert(
            name.to_owned(),
            json!({
                "address": channel.topic.name,
                "description": channel.description,
                "messages": references,
                "bindings": {"kafka": binding(&channel.topic)},
            }),
        );
        operations.insert(
            format!("read_{name}"),
            json!({
                "action": "receive",
                "channel": {"$ref": format!("#/channels/{name}")},
                "summary": channel.summary,
            }),
        );
        for record in channel.records {
            messages.insert(record.name.to_owned(), record.message(&mut components));
        }
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "FeedBackPro Webhooks: records for analytics",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": {
            "host": "{brokers}",
            "protocol": "kafka",
            "description": "Apache Kafka. Whoever runs it tells where it is, and gives access.",
            "variables": {"brokers": {
                "default": "localhost:9092",
                "description": "`host:port`, several separated by commas.",
            }},
        }},
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": components.named()},
    })
}

/// A topic that others may read.
struct Channel {
    name: &'static str,
    topic: TopicSpec,
    summary: &'static str,
    description: &'static str,
    records: Vec<Record>,
}

fn all() -> [Channel; 4] {
    let topics = Topics::with_prefix("");
    [
        Channel {
            name: "events",
            topic: topics.events_spec(),
            summary: "Every event, as soon as it is accepted",
            description: "One record an event, exactly as it is delivered. Events of one customer \
                          are in order.",
            records: records::events(),
        },
        Channel {
            name: "attempts",
            topic: topics.attempts_spec(),
            summary: "Every attempt at a delivery, and how it ended",
            description: "One record an attempt, and one for each delivery that is put off or \
                          given up without an attempt. No payload.",
            records: vec![records::attempt()],
        },
        Channel {
            name: "failed",
            topic: topics.dead_letter_spec(),
            summary: "What is given up, and what leaves the failed list again",
            description: "The newest record of a key says whether the delivery is on the failed \
                          list.",
            records: records::dead_letters(),
        },
        Channel {
            name: "audit",
            topic: topics.audit_spec(),
            summary: "Who did what",
            description: "Every change to endpoints, every look at a secret, every re-send and \
                          discard.",
            records: vec![records::audit()],
        },
    ]
}

/// How the topic is set up.
fn binding(topic: &TopicSpec) -> Value {
    let configuration = match topic.cleanup {
        Cleanup::Delete { retention } => json!({
            "cleanup.policy": ["delete"],
            "retention.ms": millis(retention),
        }),
        Cleanup::Compact { tombstones } => {
            let mut configuration = json!({"cleanup.policy": ["compact"]});
            if let Some(kept) = tombstones {
                configuration["delete.retention.ms"] = millis(kept);
            }
            configuration
        }
    };
    json!({
        "topic": topic.name,
        "partitions": topic.partitions,
        "topicConfiguration": configuration,
        "bindingVersion": "0.5.0",
    })
}

fn millis(duration: std::time::Duration) -> Value {
    u64::try_from(duration.as_millis())
        .expect("a retention is shorter than millions of years")
        .into()
}
