//! The topics: what each is called and how each must be set up
//! (design table in `docs/ARCHITECTURE.md`).

use std::time::Duration;

use crate::{Schedule, Tier};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Partitions of a topic that spreads load.
pub const PARTITIONS: i32 = 6;
/// Partitions of `webhooks.ready`: one slow endpoint shares its partition's
/// look-ahead with fewer others.
pub const READY_PARTITIONS: i32 = 24;

/// What becomes of old records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleanup {
    /// Removed once older than this (`cleanup.policy=delete`).
    Delete {
        /// `retention.ms`.
        retention: Duration,
    },
    /// The newest record of each key stays (`cleanup.policy=compact` alone).
    Compact {
        /// `delete.retention.ms`: how long a tombstone can be seen; `None` is the broker's default.
        tombstones: Option<Duration>,
    },
}

/// How a topic must be set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// The full name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: i32,
    /// Whether another number of partitions breaks a rule (a table read by one
    /// reader) or is only unusual.
    pub partitions_fixed: bool,
    /// What becomes of old records.
    pub cleanup: Cleanup,
    /// `max.message.bytes`: above the 64 KiB envelope by what headers may add.
    pub max_message_bytes: u32,
}

/// The names of all topics under one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    /// What every name, group and transactional id begins with.
    pub prefix: String,
    /// Events as the producer accepted them.
    pub events: String,
    /// What the name of every retry topic begins with; the tier follows after a dot.
    pub retry: String,
    /// Deliveries that wait for room at their endpoint.
    pub ready: String,
    /// Deliveries that a person sent again.
    pub resend: String,
    /// Deliveries given up.
    pub dead_letter: String,
    /// One record an attempt.
    pub attempts: String,
    /// Who changed or re-sent what.
    pub audit: String,
    /// State of bulk jobs.
    pub jobs: String,
    /// The endpoint table.
    pub endpoints: String,
}

impl Topics {
    /// The default names under `prefix` (often empty, or `staging.`).
    #[must_use]
    pub fn with_prefix(prefix: &str) -> Self {
        Self::named(prefix, |_| None)
    }

    /// Names that the settings give, without the prefix, by the field's name
    /// here; the default where they give none.
    #[must_use]
    pub fn named<'a>(prefix: &str, given: impl Fn(&str) -> Option<&'a str>) -> Self {
        let name = |field: &str, default: &'static str| {
            format!("{prefix}{}", given(field).unwrap_or(default))
        };
        Self {
            prefix: prefix.to_owned(),
            events: name("events", "feedback.events"),
            retry: name("retry", "webhooks.retry"),
            ready: name("ready", "webhooks.ready"),
            resend: name("resend", "webhooks.resend"),
            dead_letter: name("dead_letter", "webhooks.dead-letter"),
            attempts: name("attempts", "webhooks.attempts"),
            audit: name("audit", "webhooks.audit"),
            jobs: name("jobs", "webhooks.jobs"),
            endpoints: name("endpoints", "webhooks.endpoints"),
        }
    }

    /// The retry topic of a tier.
    #[must_use]
    pub fn retry_tier(&self, tier: Tier) -> String {
        format!("{}.{tier}", self.retry)
    }

    /// The tier of a retry topic; `None` for any other topic.
    #[must_use]
    pub fn tier_of(&self, topic: &str) -> Option<Tier> {
        topic
            .strip_prefix(self.retry.as_str())?
            .strip_prefix('.')?
            .parse()
            .ok()
    }

    /// An anchored pattern, escaped, that matches every retry topic, also those
    /// of schedules no longer in force (librdkafka reads a topic that begins
    /// with `^` as a POSIX extended expression).
    #[must_use]
    pub fn retry_pattern(&self) -> String {
        format!("^{}\\.[0-9]+(ms|s|m|h)$", escape(&self.retry))
    }

    /// An anchored, escaped pattern that matches one topic.
    #[must_use]
    pub fn literal_pattern(topic: &str) -> String {
        format!("^{}$", escape(topic))
    }

    /// A consumer group, client id or transactional id under the prefix.
    #[must_use]
    pub fn id(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// `feedback.events`.
    #[must_use]
    pub fn events_spec(&self) -> TopicSpec {
        deleted(&self.events, PARTITIONS, 30 * DAY, ENVELOPE_BYTES)
    }

    /// The retry topics of a schedule.
    #[must_use]
    pub fn retry_specs(&self, schedule: &Schedule) -> Vec<TopicSpec> {
        schedule
            .tiers()
            .iter()
            .map(|tier| deleted(&self.retry_tier(*tier), PARTITIONS, 7 * DAY, DELIVERY_BYTES))
            .collect()
    }

    /// `webhooks.ready`.
    #[must_use]
    pub fn ready_spec(&self) -> TopicSpec {
        deleted(&self.ready, READY_PARTITIONS, 7 * DAY, DELIVERY_BYTES)
    }

    /// `webhooks.resend`.
    #[must_use]
    pub fn resend_spec(&self) -> TopicSpec {
        deleted(&self.resend, PARTITIONS, 7 * DAY, DELIVERY_BYTES)
    }

    /// `webhooks.dead-letter`.
    #[must_use]
    pub fn dead_letter_spec(&self) -> TopicSpec {
        compacted(&self.dead_letter, Some(7 * DAY), DELIVERY_BYTES)
    }

    /// `webhooks.attempts`.
    #[must_use]
    pub fn attempts_spec(&self) -> TopicSpec {
        deleted(&self.attempts, PARTITIONS, 7 * DAY, ENVELOPE_BYTES)
    }

    /// `webhooks.audit`.
    #[must_use]
    pub fn audit_spec(&self) -> TopicSpec {
        deleted(&self.audit, PARTITIONS, 365 * DAY, ENVELOPE_BYTES)
    }

    /// `webhooks.jobs`.
    #[must_use]
    pub fn jobs_spec(&self) -> TopicSpec {
        compacted(&self.jobs, None, ENVELOPE_BYTES)
    }

    /// `webhooks.endpoints`.
    #[must_use]
    pub fn endpoints_spec(&self) -> TopicSpec {
        compacted(&self.endpoints, None, ENVELOPE_BYTES)
    }

    /// Every topic of the product with this schedule.
    #[must_use]
    pub fn all_specs(&self, schedule: &Schedule) -> Vec<TopicSpec> {
        let mut specs = vec![
            self.events_spec(),
            self.ready_spec(),
            self.resend_spec(),
            self.dead_letter_spec(),
            self.attempts_spec(),
            self.audit_spec(),
            self.jobs_spec(),
            self.endpoints_spec(),
        ];
        specs.extend(self.retry_specs(schedule));
        specs
    }
}

/// Room for a 64 KiB envelope and its headers: Kafka's own default.
const ENVELOPE_BYTES: u32 = 1_048_588;
/// Records that carry one delivery gain headers, so their topics take more than
/// the topic the envelope came from, also where that one was set larger.
const DELIVERY_BYTES: u32 = 2 * ENVELOPE_BYTES;

fn deleted(name: &str, partitions: i32, retention: Duration, max_message_bytes: u32) -> TopicSpec {
    TopicSpec {
        name: name.to_owned(),
        partitions,
        partitions_fixed: false,
        cleanup: Cleanup::Delete { retention },
        max_message_bytes,
    }
}

fn compacted(name: &str, tombstones: Option<Duration>, max_message_bytes: u32) -> TopicSpec {
    TopicSpec {
        name: name.to_owned(),
        partitions: 1,
        partitions_fixed: true,
        cleanup: Cleanup::Compact { tombstones },
        max_message_bytes,
    }
}

/// Every character that POSIX extended expressions read as an operator, behind
/// a backslash.
fn escape(literal: &str) -> String {
    let mut escaped = String::with_capacity(literal.len() + 4);
    for c in literal.chars() {
        if matches!(
            c,
            '.' | '^' | '$' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '\\'
        ) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
