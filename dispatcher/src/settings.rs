//! The dispatcher's settings. `settings.default.toml` documents each.

use delivery::{EgressSettings, GuardSettings};
use domain::{KeyRing, Schedule, Topics};
use serde::{Deserialize, Serialize};
use service::settings::{
    AdminSettings, CollectorUrl, KafkaSettings, LogSettings, Masked, SettingsError, TopicsSettings,
};

/// The commented default file, which is the default.
pub const DEFAULTS: &str = include_str!("settings.default.toml");

/// All settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the cluster is.
    pub kafka: KafkaSettings,
    /// What the topics are called and who makes them.
    pub topics: TopicsSettings,
    /// The backoff.
    pub retry: RetrySettings,
    /// How much may be under way.
    pub limits: LimitSettings,
    /// What attempt records hold.
    pub attempts: AttemptSettings,
    /// The keys that open secrets.
    pub secrets: SecretSettings,
    /// Which addresses may be reached.
    pub guard: GuardSettings,
    /// How they are reached.
    pub egress: EgressSettings,
    /// Traces.
    pub traces: TracesSettings,
    /// How much is logged, and in which form.
    pub log: LogSettings,
    /// Where health and metrics are.
    pub admin: AdminSettings,
}

/// Section `[retry]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetrySettings {
    /// The delay before each retry.
    pub schedule: Vec<String>,
}

/// Section `[limits]`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Attempts under way at one endpoint at first.
    pub endpoint_start: usize,
    /// Attempts under way at one endpoint at most.
    pub endpoint_max: usize,
    /// Attempts under way at all endpoints.
    pub global: usize,
}

/// Section `[attempts]`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptSettings {
    /// Whether the first bytes of responses are kept.
    pub keep_response: bool,
}

/// Section `[traces]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracesSettings {
    /// Where spans go.
    pub endpoint: CollectorUrl,
}

/// Section `[secrets]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretSettings {
    /// The keys, the sealing one first.
    pub keys: Vec<SealingKey>,
}

/// One sealing key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealingKey {
    /// Its name in endpoint records.
    pub id: String,
    /// Base64 of 32 bytes.
    pub key: Masked,
}

impl Settings {
    /// The topics' names.
    #[must_use]
    pub fn topic_names(&self) -> Topics {
        kafka::topic_names(&self.kafka, &self.topics)
    }

    /// The schedule, checked.
    ///
    /// # Errors
    /// Names the key when it is no schedule.
    pub fn schedule(&self) -> Result<Schedule, SettingsError> {
        Schedule::parse(&self.retry.schedule).map_err(|error| {
            SettingsError::new(
                "retry.schedule",
                format!("{:?}", self.retry.schedule),
                error.to_string(),
            )
        })
    }

    /// The key ring, checked.
    ///
    /// # Errors
    /// Names the key when there is none or one is malformed.
    pub fn key_ring(&self) -> Result<KeyRing, SettingsError> {
        let keys = self.secrets.keys.iter();
        KeyRing::new(keys.map(|key| (key.id.as_str(), key.key.expose())))
            .map_err(|error| SettingsError::secret("secrets.keys", error.to_string()))
    }

    /// Checks what must hold between settings.
    ///
    /// # Errors
    /// Names the first key that is wrong.
    pub fn check(&self) -> Result<(), SettingsError> {
        let limits = &self.limits;
        let positive = [
            ("limits.endpoint_start", limits.endpoint_start),
            ("limits.endpoint_max", limits.endpoint_max),
            ("limits.global", limits.global),
        ];
        for (key, value) in positive {
            if value == 0 || value > 1_000_000 {
                return Err(SettingsError::new(
                    key,
                    value,
                    "a whole number from 1 to 1000000",
                ));
            }
        }
        if limits.endpoint_start > limits.endpoint_max {
            return Err(SettingsError::new(
                "limits.endpoint_start",
                limits.endpoint_start,
                format!(
                    "at most limits.endpoint_max, which is {}",
                    limits.endpoint_max
                ),
            ));
        }
        self.schedule()?;
        self.key_ring()?;
        Ok(())
    }
}
