//! What can be set. `settings.default.toml` says what each is for.

use std::net::SocketAddr;
use std::path::PathBuf;

use delivery::{Connector, EgressSettings, Guard, GuardSettings, SetupError};
use domain::{KeyRing, KeyRingError, Schedule, Topics};
use ipnet::IpNet;
use kafka::{Connection, TopicPolicy};
use reqwest::Url;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use service::settings::{
    AdminSettings, AuthSettings, KafkaSettings, LogSettings, Masked, SettingsError, TopicsSettings,
    address,
};

use crate::portal::PublicUrls;
use crate::web::Proxies;

/// The commented default file, which is the default.
pub const DEFAULTS: &str = include_str!("settings.default.toml");

/// All settings of the binary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How the cluster is reached.
    pub kafka: KafkaSettings,
    /// What the topics are called, and whether they are made.
    pub topics: TopicsSettings,
    /// The API and the pages.
    pub http: HttpSettings,
    /// Who is signed in to the pages.
    pub session: SessionSettings,
    /// What seals the endpoints' secrets.
    pub secrets: SecretsSettings,
    /// Which URLs endpoints may have.
    pub guard: GuardSettings,
    /// How test events leave.
    pub egress: EgressSettings,
    /// The schedule that is shown.
    pub retry: RetrySettings,
    /// What one account may have and do.
    pub limits: LimitsSettings,
    /// The file of what became of deliveries.
    pub index: IndexSettings,
    /// The failed list.
    pub failed: FailedSettings,
    /// The pages and documents of the API.
    pub portal: PortalSettings,
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
    /// Where API and pages are served.
    #[serde(with = "address")]
    pub listen: SocketAddr,
    /// Nets of the proxies in front.
    pub proxies: Vec<IpNet>,
}

impl HttpSettings {
    pub(crate) fn proxies(&self) -> Proxies {
        Proxies(self.proxies.clone())
    }
}

/// `[session]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionSettings {
    /// Whether this machine's own names do without TLS.
    pub allow_plain_http_on_loopback: bool,
}

/// `[secrets]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretsSettings {
    /// The first seals, all open.
    pub keys: Vec<SealingKey>,
}

/// One key of `secrets.keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealingKey {
    /// Its name, which stands in the records it sealed.
    pub id: String,
    /// Base64 of 32 bytes.
    pub key: Masked,
}

/// `[retry]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetrySettings {
    /// The delay before each retry.
    pub schedule: Vec<String>,
}

/// `[limits]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsSettings {
    /// Endpoints of one account at most.
    #[serde(deserialize_with = "count")]
    pub endpoints_per_account: u32,
    /// Test events of one account a minute at most.
    #[serde(deserialize_with = "count")]
    pub test_events_per_minute: u32,
}

/// `[index]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexSettings {
    /// The SQLite file.
    pub path: PathBuf,
    /// Attempts that it holds at most.
    #[serde(deserialize_with = "attempts")]
    pub max_attempts: u32,
}

/// `[failed]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedSettings {
    /// Where dlq-consumer serves its API.
    pub url: String,
}

/// `[portal]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortalSettings {
    /// Where clients call the other services.
    pub urls: PortalUrls,
}

/// `[portal.urls]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortalUrls {
    /// The producer; empty where the console's own origin is.
    pub producer: String,
    /// dlq-consumer; the same.
    pub failed: String,
}

fn attempts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer) {
        Ok(count @ 1_000..=MOST_ATTEMPTS) => Ok(count),
        Ok(_) | Err(_) => Err(D::Error::custom("a whole number from 1000 to 1000000000")),
    }
}

/// The file has about 300 bytes an attempt.
const MOST_ATTEMPTS: u32 = 1_000_000_000;

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer) {
        Ok(count @ 1..=MOST) => Ok(count),
        Ok(_) | Err(_) => Err(D::Error::custom("a whole number from 1 to 1000000")),
    }
}

/// What a limit can be at most.
const MOST: u32 = 1_000_000;

impl Settings {
    /// The topics' full names.
    #[must_use]
    pub fn topic_names(&self) -> Topics {
        kafka::topic_names(&self.kafka, &self.topics)
    }

    /// What may be done about topics.
    #[must_use]
    pub fn topic_policy(&self) -> TopicPolicy {
        (&self.topics).into()
    }

    /// Checks what must hold between settings, before anything is started.
    ///
    /// # Errors
    /// Names the first key that is wrong.
    pub fn check(&self) -> Result<(), SettingsError> {
        self.auth.check()?;
        self.schedule()?;
        self.key_ring()?;
        self.connection()?;
        self.connector()?;
        self.failed_url()?;
        self.public_urls()?;
        Ok(())
    }

    pub(crate) fn failed_url(&self) -> Result<Url, SettingsError> {
        let url = root(&self.failed.url).filter(|url| url.scheme() == "http");
        url.ok_or_else(|| {
            let found = format!("{:?}", self.failed.url);
            let allowed = "http://host:port, without a path";
            SettingsError::new("failed.url", found, allowed)
        })
    }

    pub(crate) fn public_urls(&self) -> Result<PublicUrls, SettingsError> {
        let urls = &self.portal.urls;
        Ok(PublicUrls {
            producer: public("portal.urls.producer", &urls.producer)?,
            failed: public("portal.urls.failed", &urls.failed)?,
        })
    }

    pub(crate) fn connection(&self) -> Result<Connection, SettingsError> {
        Connection::of(&self.kafka, "console")
    }

    pub(crate) fn key_ring(&self) -> Result<KeyRing, SettingsError> {
        let keys = self.secrets.keys.iter();
        let keys = keys.map(|key| (key.id.as_str(), key.key.expose()));
        KeyRing::new(keys).map_err(|error| {
            let found = match error {
                KeyRingError::Empty => "none".to_owned(),
                KeyRingError::Malformed(id) => format!("key {id:?}, which is no such key"),
                KeyRingError::Duplicate(id) => format!("the id {id:?} twice"),
            };
            let allowed = "one or more {id, key}, each id once, each key base64 of 32 bytes \
                           (openssl rand -base64 32), the same as the dispatcher's";
            SettingsError::new("secrets.keys", found, allowed)
        })
    }

    pub(crate) fn schedule(&self) -> Result<Schedule, SettingsError> {
        let schedule = &self.retry.schedule;
        Schedule::parse(schedule).map_err(|error| {
            let found = format!("{schedule:?}");
            SettingsError::new("retry.schedule", found, error.to_string())
        })
    }

    pub(crate) fn connector(&self) -> Result<Connector, SettingsError> {
        let guard = Guard::new(self.guard.clone());
        self.egress.connector(guard).map_err(|error| {
            let key = match error {
                SetupError::ExtraCa { .. } => "egress.extra_ca",
                SetupError::Proxy { .. } | SetupError::ResponseHead { .. } | SetupError::Tls(_) => {
                    "egress.proxy"
                }
            };
            let allowed = "nothing, or what can be used";
            SettingsError::new(key, error, allowed)
        })
    }
}

/// A URL that names a host, perhaps a port, and nothing else.
fn root(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let root = url.origin().ascii_serialization() + "/";
    (url.as_str() == root).then_some(url)
}

/// The origin of a URL that clients call; none where it is not given.
fn public(key: &'static str, text: &str) -> Result<Option<String>, SettingsError> {
    if text.is_empty() {
        return Ok(None);
    }
    let url = root(text).filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(|| {
        let allowed = "https://host or http://host, with a port if needed and without a path; \
                       or nothing, where it is reached at the console's own host";
        SettingsError::new(key, format!("{text:?}"), allowed)
    })?;
    Ok(Some(url.origin().ascii_serialization()))
}
