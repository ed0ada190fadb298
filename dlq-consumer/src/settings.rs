//! What can be set. `settings.default.toml` says what each is for.

use std::net::SocketAddr;
use std::path::PathBuf;

use domain::Topics;
use kafka::{Connection, ConnectionError, TopicError, TopicPolicy};
use serde::{Deserialize, Serialize};
use service::settings::{
    AdminSettings, AuthSettings, KafkaSettings, LogSettings, SettingsError, TopicsSettings, address,
};

/// The commented default file, which is the default.
pub const DEFAULTS: &str = include_str!("settings.default.toml");

/// The client id and the transactional id, after the prefix.
pub(crate) const NAME: &str = "dlq-consumer";

/// All settings of the binary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How the cluster is reached.
    pub kafka: KafkaSettings,
    /// What the topics are called, and whether they are made.
    pub topics: TopicsSettings,
    /// The API.
    pub http: HttpSettings,
    /// The failed list's file.
    pub index: IndexSettings,
    /// Who may ask.
    pub auth: AuthSettings,
    /// Health and metrics.
    pub admin: AdminSettings,
    /// Logs.
    pub log: LogSettings,
}

/// `[http]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// Where the API is served.
    #[serde(with = "address")]
    pub listen: SocketAddr,
}

/// `[index]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexSettings {
    /// The SQLite file.
    pub path: PathBuf,
}

impl Settings {
    /// Checks what the types leave open.
    ///
    /// # Errors
    /// The first mistake, with its key.
    pub fn check(&self) -> Result<(), SettingsError> {
        self.auth.check()?;
        self.connection().map(drop)
    }

    /// The topics' full names.
    #[must_use]
    pub fn topic_names(&self) -> Topics {
        Topics::named(&self.kafka.prefix, |key| {
            self.topics.names.get(key).map(String::as_str)
        })
    }

    /// What may be done about a missing topic.
    #[must_use]
    pub fn topic_policy(&self) -> TopicPolicy {
        if self.topics.create {
            TopicPolicy::Create {
                replication: self.topics.replication,
            }
        } else {
            TopicPolicy::Check
        }
    }

    /// How clients reach the cluster.
    ///
    /// # Errors
    /// Names the property that cannot be used.
    pub fn connection(&self) -> Result<Connection, SettingsError> {
        let client_id = self.topic_names().id(NAME);
        let properties = self.kafka.properties.clone();
        Connection::new(&self.kafka.brokers, client_id, properties)
            .map_err(|error| wrong_connection(&error))
    }
}

/// The key of the setting that makes a connection impossible.
pub(crate) fn wrong_connection(error: &ConnectionError) -> SettingsError {
    let (key, allowed) = match error {
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
    SettingsError::new(key, error, allowed)
}

/// A topic that cannot be used: a person must change it, or a setting.
pub(crate) fn wrong_topic(error: &TopicError) -> SettingsError {
    match error {
        TopicError::Connection(error) => wrong_connection(error),
        TopicError::Missing { .. }
        | TopicError::Wrong(_)
        | TopicError::Refused { .. }
        | TopicError::Stopped => SettingsError::new(
            "topics.create",
            error,
            "topics that can be used, or the right to make them",
        ),
    }
}
