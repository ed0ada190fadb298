//! Who asks: bearer tokens, known by their hash, read again when the settings files change.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::problem::Problem;
pub use crate::settings::Role;
use crate::settings::{AuthSettings, SettingsError, load};

/// How often the files are looked at.
const WATCH_TIME: Duration = Duration::from_secs(2);

/// The tokens in force. Clones share them.
#[derive(Clone, Debug)]
pub struct Tokens {
    entries: Arc<ArcSwap<Vec<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    sha256: [u8; 32],
    caller: Caller,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token's id, for logs and the audit topic.
    pub token_id: String,
    /// Whose data; `None` for an operator.
    pub account: Option<String>,
    /// What it may do.
    pub role: Role,
    /// The web origins that may use it; only ingest tokens have some.
    pub origins: Arc<[String]>,
}

impl Caller {
    /// Whether `account`'s data may be seen: its own, or any for an operator.
    #[must_use]
    pub fn may_see(&self, account: &str) -> bool {
        match self.role {
            Role::Operator => true,
            Role::Account | Role::Ingest => self.account.as_deref() == Some(account),
        }
    }
}

impl Tokens {
    /// # Errors
    /// Those of [`AuthSettings::check`].
    pub fn new(auth: &AuthSettings) -> Result<Self, SettingsError> {
        let entries = Arc::new(ArcSwap::from_pointee(entries(auth)?));
        Ok(Self { entries })
    }

    /// The caller whose token this is. Every entry is compared, each in constant time, so that
    /// the time taken tells nothing of the tokens.
    #[must_use]
    pub fn authenticate(&self, presented: &str) -> Option<Caller> {
        let hash: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
        let entries = self.entries.load();
        let mut found = u32::MAX;
        for (index, entry) in (0u32..).zip(entries.iter()) {
            found.conditional_assign(&index, entry.sha256.ct_eq(&hash));
        }
        let index = usize::try_from(found).ok()?;
        entries.get(index).map(|entry| entry.caller.clone())
    }

    /// The caller, when its role is one of `allowed`.
    ///
    /// # Errors
    /// 401 without a token or with an unknown one, 403 for another role.
    pub fn require(&self, presented: Option<&str>, allowed: &[Role]) -> Result<Caller, Problem> {
        let presented = presented.ok_or_else(missing)?;
        let caller = self.authenticate(presented).ok_or_else(unknown)?;
        if allowed.contains(&caller.role) {
            return Ok(caller);
        }
        Err(wrong_role(&caller.token_id, caller.role, allowed))
    }

    /// Follows `[auth]` until `shutdown`: when a file of `files` changes, all layers are read
    /// again. What is wrong then is logged, and the tokens before stay in force.
    /// The first look is at once, so that no change since the start is missed.
    pub async fn watch(&self, defaults: &str, files: &[PathBuf], shutdown: CancellationToken) {
        let mut ticks = interval(WATCH_TIME);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = None;
        while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            // The stamps first: a change while reading is seen the next time.
            let now: Vec<Stamp> = files.iter().map(stamp).collect();
            if seen.as_ref() == Some(&now) {
                continue;
            }
            match read(defaults, files) {
                Ok(entries) => {
                    if seen.is_some() {
                        tracing::info!(tokens = entries.len(), "auth.tokens were read again");
                    }
                    self.entries.store(Arc::new(entries));
                }
                Err(error) => {
                    tracing::error!(%error, "auth.tokens stay as they were: the new ones are wrong");
                }
            }
            seen = Some(now);
        }
    }
}

fn missing() -> Problem {
    Problem::unauthorized("a token is needed: Authorization: Bearer <token>")
}

fn unknown() -> Problem {
    Problem::unauthorized("the token is not known here")
}

fn wrong_role(token_id: &str, role: Role, allowed: &[Role]) -> Problem {
    let names: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    Problem::forbidden(format!(
        "this needs a token with the role {}; the token {token_id} has the role {role}",
        names.join(" or "),
    ))
}

/// The refusals of [`Tokens::require`] where these roles are allowed, for documents.
pub(crate) fn refusals(allowed: &[Role]) -> Vec<Problem> {
    let roles = [Role::Ingest, Role::Account, Role::Operator];
    let other = roles.into_iter().find(|role| !allowed.contains(role));
    let refused = other.map(|role| wrong_role("a-token", role, allowed));
    [missing(), unknown()].into_iter().chain(refused).collect()
}

/// The token in `Authorization: Bearer`, in any case of the scheme's letters.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The caller by its `Authorization` header; see [`Tokens::require`].
///
/// # Errors
/// Those of [`Tokens::require`].
pub fn require(tokens: &Tokens, headers: &HeaderMap, allowed: &[Role]) -> Result<Caller, Problem> {
    tokens.require(bearer(headers), allowed)
}

/// Modification time and length; `None` when the file cannot be looked at.
type Stamp = Option<(SystemTime, u64)>;

fn stamp(file: &PathBuf) -> Stamp {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read(defaults: &str, files: &[PathBuf]) -> Result<Vec<Entry>, SettingsError> {
    /// Only this section: the others take effect at the next start.
    #[derive(Deserialize)]
    struct Settings {
        auth: AuthSettings,
    }
    let settings: Settings = load(defaults, files)?;
    entries(&settings.auth)
}

fn entries(auth: &AuthSettings) -> Result<Vec<Entry>, SettingsError> {
    auth.check()?;
    let entry = |token: &crate::settings::TokenEntry| Entry {
        sha256: digest(&token.sha256),
        caller: Caller {
            token_id: token.id.clone(),
            account: (token.role != Role::Operator).then(|| token.account.clone()),
            role: token.role,
            origins: token.origins.clone().into(),
        },
    };
    Ok(auth.tokens.iter().map(entry).collect())
}

/// The bytes of 64 hex digits, which [`AuthSettings::check`] has seen.
fn digest(hex: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = digits.iter().fold(0, |high, digit| {
            let low = char::from(*digit).to_digit(16).unwrap_or_default();
            high << 4 | u8::try_from(low).unwrap_or_default()
        });
    }
    bytes
}
