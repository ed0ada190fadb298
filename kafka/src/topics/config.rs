//! The settings a topic is made with.

use domain::{Cleanup, TopicSpec};

/// From this many copies on, one broker may be down while two have each record.
const COPIES_FOR_TWO_IN_SYNC: i32 = 3;

/// The settings of a new topic with `replication` copies.
pub(super) fn of(spec: &TopicSpec, replication: i32) -> Vec<(&'static str, String)> {
    let mut config = match spec.cleanup {
        Cleanup::Delete { retention } => vec![
            ("cleanup.policy", "delete".to_owned()),
            ("retention.ms", retention.as_millis().to_string()),
        ],
        Cleanup::Compact { tombstones } => {
            let mut config = vec![("cleanup.policy", "compact".to_owned())];
            if let Some(tombstones) = tombstones {
                let tombstones = tombstones.as_millis().to_string();
                config.push(("delete.retention.ms", tombstones));
            }
            config
        }
    };
    config.push(("max.message.bytes", spec.max_message_bytes.to_string()));
    if replication >= COPIES_FOR_TWO_IN_SYNC {
        config.push(("min.insync.replicas", "2".to_owned()));
    }
    config
}

/// The command that makes the topic with Kafka's own tool; `None` leaves the
/// number of copies to the broker.
pub(super) fn command(spec: &TopicSpec, brokers: &str, replication: Option<i32>) -> String {
    let replication = replication.filter(|copies| *copies > 0);
    let copies = replication.map_or_else(String::new, |copies| {
        format!(" --replication-factor {copies}")
    });
    let config: String = of(spec, replication.unwrap_or(-1))
        .into_iter()
        .map(|(key, value)| format!(" --config {key}={value}"))
        .collect();
    format!(
        "kafka-topics.sh --bootstrap-server {brokers} --create --topic {} --partitions {}{copies}{config}",
        spec.name, spec.partitions
    )
}
