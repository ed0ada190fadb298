//! What can be set. `settings.default.toml` says what each is for.

use std::net::SocketAddr;
use std::time::Duration;

use domain::Topics;
use kafka::{Compression, Connection, PublisherOptions, TopicPolicy};
use serde::{Deserialize, Serialize};
use service::settings::{
    AdminSettings, AuthSettings, CollectorUrl, KafkaSettings, LogSettings, SettingsError,
    TopicsSettings, address, duration,
};

/// The commented default file, which is the default.
pub const DEFAULTS: &str = include_str!("settings.default.toml");

/// How long a record waits for others to share a request with. A single POST
/// waits this much longer; a thousand lines of NDJSON travel in few requests.
const LINGER: Duration = Duration::from_micros(500);

/// The least that `ingest.in_flight_bytes` may be: one NDJSON request.
const LEAST_IN_FLIGHT: usize = 1024 * 1024;

/// All settings of the binary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How the cluster is reached.
    pub kafka: KafkaSettings,
    /// What the topics are called, and whether they are made.
    pub topics: TopicsSettings,
    /// The API.
    pub http: HttpSettings,
    /// Limits.
    pub ingest: IngestSettings,
    /// Who may post.
    pub auth: AuthSettings,
    /// Traces.
    pub traces: TracesSettings,
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

/// `[ingest]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IngestSettings {
    /// Events a second of one account's ingest tokens.
    pub max_per_second: u32,
    /// How long an acknowledgement is waited for.
    #[serde(with = "duration")]
    pub publish_timeout: Duration,
    /// Bytes of events on their way to Kafka.
    pub in_flight_bytes: usize,
}

/// `[traces]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracesSettings {
    /// Where spans go.
    pub endpoint: CollectorUrl,
    /// The share of events whose request has no trace that begin one, 0 to 1.
    pub sampled: f64,
}

impl Settings {
    /// Checks what the types leave open.
    ///
    /// # Errors
    /// The first mistake, with its key.
    pub fn check(&self) -> Result<(), SettingsError> {
        self.auth.check()?;
        let ingest = &self.ingest;
        if ingest.max_per_second == 0 {
            let allowed = "1 or more events a second";
            return Err(SettingsError::new("ingest.max_per_second", 0, allowed));
        }
        let seconds = Duration::from_secs(1)..=Duration::from_secs(60);
        if !seconds.contains(&ingest.publish_timeout) {
            return Err(SettingsError::new(
                "ingest.publish_timeout",
                duration::text(ingest.publish_timeout),
                "1s to 1m",
            ));
        }
        if !(LEAST_IN_FLIGHT..=1 << 30).contains(&ingest.in_flight_bytes) {
            return Err(SettingsError::new(
                "ingest.in_flight_bytes",
                ingest.in_flight_bytes,
                format!("{LEAST_IN_FLIGHT} to {}", 1 << 30),
            ));
        }
        let sampled = self.traces.sampled;
        if !(0.0..=1.0).contains(&sampled) {
            let allowed = "a number from 0 to 1";
            return Err(SettingsError::new("traces.sampled", sampled, allowed));
        }
        self.connection().map(drop)
    }

    /// How clients reach the cluster.
    ///
    /// # Errors
    /// Names the property that cannot be used.
    pub fn connection(&self) -> Result<Connection, SettingsError> {
        Connection::of(&self.kafka, "producer")
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

    /// How the publisher works.
    #[must_use]
    pub fn publisher_options(&self) -> PublisherOptions {
        PublisherOptions {
            linger: LINGER,
            message_timeout: self.ingest.publish_timeout,
            compression: Compression::None,
            capacity: self.ingest.in_flight_bytes,
        }
    }
}
