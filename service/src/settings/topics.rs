//! `[topics]`: what they are called and whether they are made.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// The keys that `[topics.names]` may have.
pub const TOPIC_KEYS: [&str; 9] = [
    "events",
    "retry",
    "ready",
    "resend",
    "dead_letter",
    "attempts",
    "audit",
    "jobs",
    "endpoints",
];

/// `[topics]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopicsSettings {
    /// Make missing topics at start.
    pub create: bool,
    /// Copies of each topic that is made; -1 is the broker's own default.
    #[serde(deserialize_with = "replication")]
    pub replication: i32,
    /// Names by [`TOPIC_KEYS`], without the prefix; `retry` is what stands before the tier.
    #[serde(default, deserialize_with = "names")]
    pub names: BTreeMap<String, String>,
}

/// 1 to `most` characters that Kafka allows in a topic's name.
pub(super) fn is_topic_text(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Topic names have at most 249 characters; the prefix and a tier need theirs.
const MAX_NAME: usize = 120;

fn replication<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    match i32::deserialize(deserializer)? {
        copies @ (-1 | 1..=32_767) => Ok(copies),
        _ => Err(D::Error::custom("-1 (the broker's default) or 1 to 32767")),
    }
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let names = BTreeMap::<String, Name>::deserialize(deserializer)?;
    for key in names.keys() {
        if !TOPIC_KEYS.contains(&key.as_str()) {
            return Err(D::Error::unknown_field(key, &TOPIC_KEYS));
        }
    }
    Ok(names
        .into_iter()
        .map(|(key, Name(name))| (key, name))
        .collect())
}

struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if is_topic_text(&text, MAX_NAME) {
            Ok(Self(text))
        } else {
            Err(D::Error::custom(format!(
                "1 to {MAX_NAME} letters, digits, dots, underscores and hyphens"
            )))
        }
    }
}
