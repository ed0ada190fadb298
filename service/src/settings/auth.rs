//! `[auth]`: who may use the APIs.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::SettingsError;
use super::masked::mask;

/// `[auth]`. Read again while the process runs: [`crate::tokens::Tokens::watch`].
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSettings {
    /// In any order.
    pub tokens: Vec<TokenEntry>,
}

/// One token. The token itself is in no file, only its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenEntry {
    /// A name for logs and the audit topic, unique.
    pub id: String,
    /// Whose data; empty for an operator.
    #[serde(default)]
    pub account: String,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the token's text, 64 hex digits. Printed masked: a short token could be
    /// guessed from it.
    #[serde(serialize_with = "masked_hash")]
    pub sha256: String,
    /// The web origins that may use an ingest token, such as `https://www.shop.de`.
    #[serde(default)]
    pub origins: Vec<String>,
}

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Only to send events of one account; stands in the open in the widget.
    Ingest,
    /// Everything of one account.
    Account,
    /// Every account, and poison records.
    Operator,
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Ingest => "ingest",
            Self::Account => "account",
            Self::Operator => "operator",
        })
    }
}

fn masked_hash<S: Serializer>(hash: &str, serializer: S) -> Result<S::Ok, S::Error> {
    mask(hash, serializer)
}

const NAME_ALLOWED: &str = "1 to 64 letters (a-z, A-Z), digits, underscores, hyphens and dots";

/// Account names and token ids: 1 to 64 of `A-Za-z0-9_-.`.
#[must_use]
pub fn is_account_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

impl AuthSettings {
    /// Checks each token and all against each other.
    ///
    /// # Errors
    /// The first mistake, named as `auth.tokens[2].sha256`.
    pub fn check(&self) -> Result<(), SettingsError> {
        let mut ids = HashSet::new();
        let mut hashes = HashSet::new();
        for (index, token) in self.tokens.iter().enumerate() {
            let key = |field: &str| format!("auth.tokens[{index}].{field}");
            token.check(&key)?;
            if !ids.insert(token.id.as_str()) {
                let allowed = "an id that no other token has";
                return Err(SettingsError::new(key("id"), quoted(&token.id), allowed));
            }
            if !hashes.insert(token.sha256.to_ascii_lowercase()) {
                let allowed = "a token that no other entry has";
                return Err(SettingsError::secret(key("sha256"), allowed));
            }
        }
        Ok(())
    }
}

impl TokenEntry {
    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<(), SettingsError> {
        if !is_account_name(&self.id) {
            return Err(SettingsError::new(
                key("id"),
                quoted(&self.id),
                NAME_ALLOWED,
            ));
        }
        if self.sha256.len() != 64 || !self.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let allowed = "the SHA-256 of the token, 64 hex digits \
                           (printf %s TOKEN | sha256sum)";
            return Err(SettingsError::secret(key("sha256"), allowed));
        }
        match self.role {
            Role::Operator if !self.account.is_empty() => {
                let allowed = "no account: an operator sees every one";
                return Err(SettingsError::new(
                    key("account"),
                    quoted(&self.account),
                    allowed,
                ));
            }
            Role::Ingest | Role::Account if !is_account_name(&self.account) => {
                let allowed = format!("for the role {}: {NAME_ALLOWED}", self.role);
                return Err(SettingsError::new(
                    key("account"),
                    quoted(&self.account),
                    allowed,
                ));
            }
            Role::Ingest | Role::Account | Role::Operator => {}
        }
        if self.role != Role::Ingest && !self.origins.is_empty() {
            let allowed = "no origins: only tokens with the role ingest have them";
            return Err(SettingsError::new(
                key("origins"),
                format!("{:?}", self.origins),
                allowed,
            ));
        }
        match self.origins.iter().position(|origin| !is_origin(origin)) {
            None => Ok(()),
            Some(index) => Err(SettingsError::new(
                format!("{}[{index}]", key("origins")),
                quoted(&self.origins[index]),
                "an origin as browsers send it, in lower case, without a path: \
                 https://www.shop.de",
            )),
        }
    }
}

/// Scheme, host and an optional port, as in an `Origin` header (RFC 6454, 6.2).
fn is_origin(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        !host.is_empty()
            && host.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte)
            })
    })
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}
