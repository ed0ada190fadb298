//! How an existing topic differs from what is needed. Decides, asks nobody.

use std::fmt;

use domain::{Cleanup, TopicSpec};

/// How a topic differs from what is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It has another number of partitions.
    Partitions {
        /// The topic.
        topic: String,
        /// How many it has.
        has: usize,
        /// How many it should have.
        needs: i32,
        /// Whether another number breaks a rule.
        fixed: bool,
    },
    /// It keeps old records in the wrong way, so that they would be lost.
    Cleanup {
        /// The topic.
        topic: String,
        /// Its `cleanup.policy`.
        has: String,
        /// What it must be.
        needs: &'static str,
    },
    /// A setting is smaller than it should be.
    Smaller {
        /// The topic.
        topic: String,
        /// The setting.
        key: &'static str,
        /// Its value.
        has: i64,
        /// What it should be at least.
        needs: i64,
    },
    /// A single broker's loss loses records of these topics.
    InSyncReplicas {
        /// The topics.
        topics: Vec<String>,
    },
    /// The settings could not be read.
    NotChecked {
        /// Why.
        reason: String,
    },
}

impl Difference {
    /// Whether the topic cannot be used like this; else it is worth a warning.
    #[must_use]
    pub fn breaks(&self) -> bool {
        match self {
            Self::Partitions { fixed, .. } => *fixed,
            Self::Cleanup { .. } => true,
            Self::Smaller { .. } | Self::InSyncReplicas { .. } | Self::NotChecked { .. } => false,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partitions {
                topic,
                has,
                needs,
                fixed: true,
            } => write!(
                f,
                "topic {topic} has {has} partitions, needs {needs}: it is a table with one order of records; delete it and make it anew"
            ),
            Self::Partitions {
                topic, has, needs, ..
            } => write!(
                f,
                "topic {topic} has {has} partitions, usual are {needs}: this only changes how the load spreads"
            ),
            Self::Cleanup { topic, has, needs } => write!(
                f,
                "topic {topic} has cleanup.policy={has}, needs {needs}: records would be lost; run kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config cleanup.policy={needs}"
            ),
            Self::Smaller {
                topic,
                key,
                has,
                needs,
            } => write!(
                f,
                "topic {topic} has {key}={has}, should have at least {needs}: {}",
                consequence(key)
            ),
            Self::InSyncReplicas { topics } => write!(
                f,
                "ACCEPTED EVENTS CAN BE LOST with a single broker: min.insync.replicas is below 2 on {}",
                topics.join(", ")
            ),
            Self::NotChecked { reason } => {
                write!(f, "the settings of the topics were not checked: {reason}")
            }
        }
    }
}

const RETENTION: &str = "retention.ms";
const TOMBSTONES: &str = "delete.retention.ms";
const MESSAGE_BYTES: &str = "max.message.bytes";

fn consequence(key: &str) -> &'static str {
    match key {
        RETENTION => "what waits longer than that is lost",
        TOMBSTONES => "an index that was away for longer shows entries that are gone",
        MESSAGE_BYTES => "large records cannot be written there",
        _ => "",
    }
}

/// The settings of an existing topic, as far as they matter.
pub(super) struct Config {
    cleanup: Option<String>,
    retention: Option<i64>,
    tombstones: Option<i64>,
    message_bytes: Option<i64>,
    in_sync: Option<i64>,
}

impl Config {
    pub(super) fn read(value: impl Fn(&str) -> Option<String>) -> Self {
        let number = |key: &str| value(key)?.parse().ok();
        Self {
            cleanup: value("cleanup.policy"),
            retention: number(RETENTION),
            tombstones: number(TOMBSTONES),
            message_bytes: number(MESSAGE_BYTES),
            in_sync: number("min.insync.replicas"),
        }
    }
}

pub(super) fn partitions(spec: &TopicSpec, has: usize) -> Option<Difference> {
    let as_needed = usize::try_from(spec.partitions).is_ok_and(|needs| needs == has);
    (!as_needed).then(|| Difference::Partitions {
        topic: spec.name.clone(),
        has,
        needs: spec.partitions,
        fixed: spec.partitions_fixed,
    })
}

pub(super) fn config(spec: &TopicSpec, config: &Config) -> Vec<Difference> {
    let (policy, retention, tombstones) = match spec.cleanup {
        Cleanup::Delete { retention } => ("delete", Some(retention), None),
        Cleanup::Compact { tombstones } => ("compact", None, tombstones),
    };
    let cleanup = config
        .cleanup
        .as_ref()
        .filter(|has| *has != policy)
        .map(|has| Difference::Cleanup {
            topic: spec.name.clone(),
            has: has.clone(),
            needs: policy,
        });
    let millis = |duration: std::time::Duration| i64::try_from(duration.as_millis()).ok();
    let smaller = [
        (RETENTION, config.retention, retention.and_then(millis)),
        (TOMBSTONES, config.tombstones, tombstones.and_then(millis)),
        (
            MESSAGE_BYTES,
            config.message_bytes,
            Some(i64::from(spec.max_message_bytes)),
        ),
    ]
    .into_iter()
    .filter_map(|(key, has, needs)| {
        let (has, needs) = has.zip(needs)?;
        // -1 is without end.
        (has != -1 && has < needs).then(|| Difference::Smaller {
            topic: spec.name.clone(),
            key,
            has,
            needs,
        })
    });
    cleanup.into_iter().chain(smaller).collect()
}

/// One warning for all topics that a single broker's loss can hurt.
pub(super) fn in_sync_replicas(topics: &[(&TopicSpec, Config)]) -> Option<Difference> {
    let topics: Vec<String> = topics
        .iter()
        .filter(|(_, config)| config.in_sync.is_some_and(|in_sync| in_sync < 2))
        .map(|(spec, _)| spec.name.clone())
        .collect();
    (!topics.is_empty()).then_some(Difference::InSyncReplicas { topics })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn spec(cleanup: Cleanup) -> TopicSpec {
        TopicSpec {
            name: "t".to_owned(),
            partitions: 1,
            partitions_fixed: true,
            cleanup,
            max_message_bytes: 1000,
        }
    }

    fn with(settings: &[(&str, &str)]) -> Config {
        Config::read(|key| {
            let (_, value) = settings.iter().find(|(name, _)| *name == key)?;
            Some((*value).to_owned())
        })
    }

    #[test]
    fn a_table_that_also_deletes_by_age_is_wrong() {
        let table = spec(Cleanup::Compact { tombstones: None });
        let differences = config(&table, &with(&[("cleanup.policy", "compact,delete")]));
        assert!(differences[0].breaks(), "{differences:?}");
        assert_eq!(config(&table, &with(&[("cleanup.policy", "compact")])), []);
    }

    #[test]
    fn keeping_longer_or_for_ever_is_no_difference() {
        let retention = Duration::from_secs(60);
        let topic = spec(Cleanup::Delete { retention });
        for enough in ["60000", "60001", "-1"] {
            let settings = [("cleanup.policy", "delete"), ("retention.ms", enough)];
            assert_eq!(config(&topic, &with(&settings)), [], "{enough}");
        }
        let short = config(&topic, &with(&[("retention.ms", "59999")]));
        assert!(!short[0].breaks(), "{short:?}");
        assert!(short[0].to_string().contains("retention.ms=59999"));
    }

    #[test]
    fn a_setting_that_cannot_be_read_is_not_judged() {
        assert_eq!(
            config(&spec(Cleanup::Compact { tombstones: None }), &with(&[])),
            []
        );
    }
}
