//! Endpoint records: what the console writes and the dispatcher reads.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AccountId, EndpointId, EventKind, Filter, SealedSecret, Timestamp};

/// How long a replaced secret still signs.
pub const ROTATION_OVERLAP: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// An endpoint as it stands on `webhooks.endpoints` under its id.
///
/// Fields that this version does not know are passed over, so that an older
/// dispatcher keeps running while a newer console writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its id, also the record's key.
    pub id: EndpointId,
    /// Whose it is.
    pub account: AccountId,
    /// Where deliveries go, as the customer wrote it.
    pub url: String,
    /// Which events it gets.
    pub events: BTreeSet<EventKind>,
    /// Which of those: all, where it has no condition.
    #[serde(default)]
    pub filter: Filter,
    /// What the customer calls it.
    #[serde(default)]
    pub description: Option<String>,
    /// Headers that the customer adds to each delivery.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Deliveries a second at most.
    #[serde(default)]
    pub max_per_second: Option<u32>,
    /// Paused by a person: deliveries wait.
    #[serde(default)]
    pub paused: bool,
    /// Counts how often a person enabled it. A state record disables only the
    /// activation that it saw, so that a 410 from before a resume is void.
    #[serde(default)]
    pub activation: u64,
    /// Counts the changes; the ETag of the API.
    pub version: u64,
    /// The current secret first, then one that a rotation replaced.
    pub secrets: Vec<SealedSecret>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What the dispatcher says of an endpoint, under `<endpoint id>/state`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointStateRecord {
    /// The [`Endpoint::activation`] that answered 410 and is disabled by it.
    pub disabled_activation: u64,
    /// When.
    pub at: Timestamp,
}

/// Whether an endpoint gets deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndpointState {
    /// Deliveries go out.
    Enabled,
    /// A person paused it: deliveries wait.
    Paused,
    /// It answered 410: it gets no new deliveries until a person resumes it.
    Disabled,
}

impl EndpointState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Enabled, Self::Paused, Self::Disabled];

    /// The word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl Endpoint {
    /// The state, from this record and the dispatcher's word.
    #[must_use]
    pub fn state(&self, said: Option<&EndpointStateRecord>) -> EndpointState {
        if said.is_some_and(|said| said.disabled_activation >= self.activation) {
            EndpointState::Disabled
        } else if self.paused {
            EndpointState::Paused
        } else {
            EndpointState::Enabled
        }
    }

    /// The secrets that sign at `now`, the current one first.
    pub fn signing_secrets(&self, now: Timestamp) -> impl Iterator<Item = &SealedSecret> {
        self.secrets
            .iter()
            .filter(move |secret| secret.expires_at.is_none_or(|end| now < end))
    }
}

/// Which record of `webhooks.endpoints` a key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointKey {
    /// The console's record.
    Record(EndpointId),
    /// The dispatcher's word on its state.
    State(EndpointId),
}

impl EndpointKey {
    /// Reads a key; `None` for one that is neither.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        match key.strip_suffix("/state") {
            Some(id) => id.parse().ok().map(Self::State),
            None => key.parse().ok().map(Self::Record),
        }
    }
}

impl std::fmt::Display for EndpointKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Record(id) => write!(f, "{id}"),
            Self::State(id) => write!(f, "{id}/state"),
        }
    }
}
