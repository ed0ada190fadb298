//! What can be set. `settings.default.toml` says what each is for.

use std::net::SocketAddr;
use std::path::PathBuf;

use domain::Topics;
use kafka::{Connection, TopicPolicy};
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
        kafka::topic_names(&self.kafka, &self.topics)
    }

    /// What may be done about a missing topic.
    #[must_use]
    pub fn topic_policy(&self) -> TopicPolicy {
        (&self.topics).into()
    }

    /// How clients reach the cluster.
    ///
    /// # Errors
    /// Names the property that cannot be used.
    pub fn connection(&self) -> Result<Connection, SettingsError> {
        Connection::of(&self.kafka, NAME)
    }
}
