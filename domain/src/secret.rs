//! Signing secrets, and how they are sealed before they reach a topic.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::{AccountId, EndpointId, KeyRingError, SealingKeys, Timestamp};

/// How a secret begins (Standard Webhooks 1.0, symmetric keys).
const PREFIX: &str = "whsec_";
/// Bytes of randomness in a secret that we make.
const KEY_BYTES: usize = 32;

/// An endpoint's signing secret: `whsec_` and base64 of its key.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    key: Vec<u8>,
}

/// A text that is no secret. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a signing secret: allowed is whsec_ and the base64 of 24 to 64 bytes")]
pub struct NotASecret;

impl Secret {
    /// A new secret of 32 random bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn generate() -> Self {
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).expect("the operating system gives randomness");
        Self {
            text: format!("{PREFIX}{}", STANDARD.encode(key)),
            key: key.to_vec(),
        }
    }

    /// A secret from its text.
    ///
    /// # Errors
    /// When it does not begin with `whsec_` or holds no base64 of 24 to 64
    /// bytes (the range of Standard Webhooks 1.0).
    pub fn parse(text: &str) -> Result<Self, NotASecret> {
        let encoded = text.strip_prefix(PREFIX).ok_or(NotASecret)?;
        let key = STANDARD.decode(encoded).map_err(|_| NotASecret)?;
        if (24..=64).contains(&key.len()) {
            Ok(Self {
                text: text.to_owned(),
                key,
            })
        } else {
            Err(NotASecret)
        }
    }

    /// The secret as the customer sees it. Named so that a reader of the code
    /// notices each place where it leaves this type.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    pub(crate) fn key_bytes(&self) -> &[u8] {
        &self.key
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(********)")
    }
}

/// A secret as it stands in an endpoint record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecret {
    /// Which sealing key closed it.
    pub key_id: String,
    /// Base64 of the nonce and the sealed text.
    pub sealed: String,
    /// Until when it signs; `None` for the current secret. A rotation lets the
    /// old one sign for 24 h more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Why a sealed secret stays closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The key that closed it is not among the settings.
    #[error(
        "the secret was sealed with key {0:?}, which is not in secrets.keys: keep old keys there until every secret was rotated"
    )]
    UnknownKey(String),
    /// The text was altered, or belongs to another endpoint.
    #[error(
        "the sealed secret does not open with key {0:?}: the key differs, or the record was altered"
    )]
    Refused(String),
}

/// The keys that seal and open secrets: the first seals, all open.
#[derive(Debug, Clone)]
pub struct KeyRing(SealingKeys);

impl KeyRing {
    /// A ring of (id, base64 of 32 bytes), the sealing key first.
    ///
    /// # Errors
    /// When it is empty, a key is not 32 bytes, or an id stands twice.
    pub fn new<'a>(
        keys: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, KeyRingError> {
        SealingKeys::new(keys).map(Self)
    }

    /// Keys for another purpose than secrets, made from these.
    #[must_use]
    pub fn for_purpose(&self, purpose: &str) -> SealingKeys {
        self.0.for_purpose(purpose)
    }

    /// Seals a secret for one endpoint of one account; it opens for no other.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn seal(&self, account: &AccountId, endpoint: EndpointId, secret: &Secret) -> SealedSecret {
        let binding = binding(account, endpoint);
        let sealed = self.0.seal(binding.as_bytes(), secret.expose().as_bytes());
        SealedSecret {
            key_id: self.0.sealing_id().to_owned(),
            sealed: STANDARD.encode(sealed),
            expires_at: None,
        }
    }

    /// Opens a secret that was sealed for this endpoint.
    ///
    /// # Errors
    /// When its key is unknown, or it was altered or belongs elsewhere.
    pub fn open(
        &self,
        account: &AccountId,
        endpoint: EndpointId,
        sealed: &SealedSecret,
    ) -> Result<Secret, OpenError> {
        let key = self
            .0
            .only(&sealed.key_id)
            .ok_or_else(|| OpenError::UnknownKey(sealed.key_id.clone()))?;
        let binding = binding(account, endpoint);
        let open = || {
            let bytes = STANDARD.decode(&sealed.sealed).ok()?;
            let text = key.open(binding.as_bytes(), &bytes)?;
            Secret::parse(std::str::from_utf8(&text).ok()?).ok()
        };
        open().ok_or_else(|| OpenError::Refused(sealed.key_id.clone()))
    }
}

/// The associated data that ties a sealed secret to its endpoint.
fn binding(account: &AccountId, endpoint: EndpointId) -> String {
    format!("{account}/{endpoint}")
}
