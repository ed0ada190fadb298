//! `[kafka]`: how the cluster is reached.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::masked::MASK;
use super::topics::is_topic_text;

/// `[kafka]`. Debug and print mask the properties that are secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaSettings {
    /// `host:port`, several with commas.
    #[serde(deserialize_with = "brokers")]
    pub brokers: String,
    /// In front of every topic, group, transactional and client id; may be empty.
    #[serde(deserialize_with = "prefix")]
    pub prefix: String,
    /// Any librdkafka property, such as `security.protocol`.
    #[serde(serialize_with = "masked")]
    pub properties: BTreeMap<String, String>,
}

/// Whether the value of this librdkafka property must not be shown.
fn is_secret(property: &str) -> bool {
    // librdkafka takes no capital letters, but a mistake is printed, too.
    let property = property.to_ascii_lowercase();
    [
        "password",
        "passphrase",
        "secret",
        "token",
        "key.pem",
        "oauthbearer.config",
    ]
    .iter()
    .any(|part| property.contains(part))
}

fn shown(properties: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    properties.iter().map(|(key, value)| {
        let value = if is_secret(key) { MASK } else { value };
        (key.as_str(), value)
    })
}

fn masked<S: Serializer>(
    properties: &BTreeMap<String, String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(shown(properties))
}

impl fmt::Debug for KafkaSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let properties: BTreeMap<_, _> = shown(&self.properties).collect();
        out.debug_struct("KafkaSettings")
            .field("brokers", &self.brokers)
            .field("prefix", &self.prefix)
            .field("properties", &properties)
            .finish()
    }
}

fn brokers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let named = |broker: &str| !broker.is_empty() && !broker.contains(char::is_whitespace);
    if text.split(',').map(str::trim).all(named) {
        Ok(text)
    } else {
        Err(D::Error::custom("host:port, several with commas"))
    }
}

fn prefix<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() || is_topic_text(&text, MAX_PREFIX) {
        Ok(text)
    } else {
        Err(D::Error::custom(format!(
            "nothing, or up to {MAX_PREFIX} letters, digits, dots, underscores and hyphens"
        )))
    }
}

/// Leaves room for the names within the 249 characters of a topic.
const MAX_PREFIX: usize = 100;
