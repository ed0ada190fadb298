//! The sections `[kafka]` and `[topics]` of a settings file, as what they mean,
//! and what is wrong with them by the key's name.

use domain::Topics;
use service::settings::{KafkaSettings, SettingsError, TopicsSettings};

use crate::{Connection, ConnectionError, TopicError, TopicPolicy};

impl Connection {
    /// The connection of a binary, which is called `client` behind the prefix.
    ///
    /// # Errors
    /// Names the property that cannot be used.
    pub fn of(kafka: &KafkaSettings, client: &str) -> Result<Self, SettingsError> {
        let client_id = format!("{}{client}", kafka.prefix);
        let properties = kafka.properties.clone();
        Ok(Self::new(kafka.brokers.as_str(), client_id, properties)?)
    }
}

/// The topics' full names.
#[must_use]
pub fn topic_names(kafka: &KafkaSettings, topics: &TopicsSettings) -> Topics {
    Topics::named(&kafka.prefix, |key| {
        topics.names.get(key).map(String::as_str)
    })
}

impl From<&TopicsSettings> for TopicPolicy {
    fn from(topics: &TopicsSettings) -> Self {
        if topics.create {
            Self::Create {
                replication: topics.replication,
            }
        } else {
            Self::Check
        }
    }
}

impl From<ConnectionError> for SettingsError {
    fn from(error: ConnectionError) -> Self {
        let (key, allowed) = match &error {
            ConnectionError::NoBrokers => ("kafka.brokers".to_owned(), "host:port"),
            ConnectionError::Reserved { key, .. } => {
                (format!("kafka.properties.{key}"), "to leave it out")
            }
            ConnectionError::Property { key, .. } => (
                format!("kafka.properties.{key}"),
                "what librdkafka's CONFIGURATION.md says",
            ),
            ConnectionError::Client(_) => (
                "kafka.properties".to_owned(),
                "properties that fit together, and files that can be read",
            ),
        };
        Self::new(key, error, allowed)
    }
}

/// A topic that cannot be used: a person must change it, or a setting.
impl From<TopicError> for SettingsError {
    fn from(error: TopicError) -> Self {
        match error {
            TopicError::Connection(error) => error.into(),
            TopicError::Missing { .. }
            | TopicError::Wrong(_)
            | TopicError::Refused { .. }
            | TopicError::Stopped => Self::new(
                "topics.create",
                error,
                "topics that can be used, or the right to make them",
            ),
        }
    }
}
