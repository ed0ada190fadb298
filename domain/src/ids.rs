//! Identifiers. All are written in lower case and compared as numbers.

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use hmac::{Hmac, KeyInit, Mac};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A text that is no id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not {allowed}")]
pub struct NotAnId {
    pub(crate) found: String,
    pub(crate) allowed: &'static str,
}

impl NotAnId {
    fn new(found: &str, allowed: &'static str) -> Self {
        Self {
            found: found.chars().take(80).collect(),
            allowed,
        }
    }
}

/// `text` as 128 bits where it is `prefix` and 32 lower-case hex digits.
fn parse_hex(text: &str, prefix: &str) -> Option<u128> {
    let digits: &[u8; 32] = text.strip_prefix(prefix)?.as_bytes().try_into().ok()?;
    digits.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

/// 32 lower-case hex digits.
pub(crate) fn hex(number: u128) -> [u8; 32] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 32];
    for (pair, byte) in text
        .as_chunks_mut::<2>()
        .0
        .iter_mut()
        .zip(number.to_be_bytes())
    {
        *pair = [
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ];
    }
    text
}

pub(crate) fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("prefixes and hex digits are ASCII")
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $allowed:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(u128);

        impl $name {
            /// What is allowed, as error messages say it.
            pub(crate) const ALLOWED: &'static str = $allowed;

            /// How long its text is, in bytes.
            pub(crate) const LENGTH: usize = $prefix.len() + 32;

            /// The text, which is ASCII.
            pub(crate) fn text(self) -> [u8; Self::LENGTH] {
                let mut text = [0; Self::LENGTH];
                let (prefix, digits) = text.split_at_mut($prefix.len());
                prefix.copy_from_slice($prefix.as_bytes());
                digits.copy_from_slice(&hex(self.0));
                text
            }

            /// The id as an index keeps it.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }

            /// The id of [`Self::to_bytes`].
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(ascii(&self.text()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "pattern": concat!("^", $prefix, "[0-9a-f]{32}$")})
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse_hex(text, $prefix)
                    .map(Self)
                    .ok_or_else(|| NotAnId::new(text, Self::ALLOWED))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<Self, NotAnId> {
                text.parse()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(ascii(&self.text()))
            }
        }
    };
}

hex_id!(
    /// An event's id: `evt_` and 32 hex digits. It is the idempotency key that
    /// receivers see (`webhook-id`).
    EventId,
    "evt_",
    "an event id: evt_ and 32 lower-case hex digits"
);

hex_id!(
    /// An endpoint's id: `ep_` and 32 hex digits.
    EndpointId,
    "ep_",
    "an endpoint id: ep_ and 32 lower-case hex digits"
);

hex_id!(
    /// The id of a bulk job: `job_` and 32 hex digits.
    JobId,
    "job_",
    "a job id: job_ and 32 lower-case hex digits"
);

impl JobId {
    /// A new id, a UUIDv7: ids of later jobs sort later.
    #[must_use]
    pub fn generate() -> Self {
        Self(uuid::Uuid::now_v7().as_u128())
    }
}

impl EventId {
    /// A new id, a UUIDv7: ids of later events sort later.
    #[must_use]
    pub fn generate() -> Self {
        Self(uuid::Uuid::now_v7().as_u128())
    }

    /// The id that an `Idempotency-Key` stands for: the first 128 bits of
    /// HMAC-SHA256 with the account as key, so that every replica gives the
    /// same id and no two accounts share one.
    #[must_use]
    pub fn from_idempotency_key(account: &AccountId, key: &str) -> Self {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(account.as_str().as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(key.as_bytes());
        Self(first_128_bits(&mac.finalize().into_bytes()))
    }
}

impl EndpointId {
    /// A new random id.
    #[must_use]
    pub fn generate() -> Self {
        Self(uuid::Uuid::new_v4().as_u128())
    }
}

fn first_128_bits(digest: &[u8]) -> u128 {
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    u128::from_be_bytes(first)
}

/// One event for one endpoint, written `<event id>.<endpoint id>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct DeliveryId {
    /// The event.
    pub event: EventId,
    /// The endpoint it goes to.
    pub endpoint: EndpointId,
}

impl DeliveryId {
    /// The text, which is ASCII.
    fn text(self) -> [u8; EventId::LENGTH + 1 + EndpointId::LENGTH] {
        let mut text = [b'.'; _];
        let (event, endpoint) = text.split_at_mut(EventId::LENGTH + 1);
        event[..EventId::LENGTH].copy_from_slice(&self.event.text());
        endpoint.copy_from_slice(&self.endpoint.text());
        text
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ascii(&self.text()))
    }
}

impl fmt::Debug for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for DeliveryId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let refuse = || {
            NotAnId::new(
                text,
                "a delivery id: <event id>.<endpoint id>, as in the failed list",
            )
        };
        let (event, endpoint) = text.split_once('.').ok_or_else(refuse)?;
        Ok(Self {
            event: event.parse().map_err(|_| refuse())?,
            endpoint: endpoint.parse().map_err(|_| refuse())?,
        })
    }
}

impl JsonSchema for DeliveryId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DeliveryId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^evt_[0-9a-f]{32}\.ep_[0-9a-f]{32}$",
        })
    }
}

impl TryFrom<String> for DeliveryId {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        text.parse()
    }
}

impl Serialize for DeliveryId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(ascii(&self.text()))
    }
}

/// An account: 1 to 64 of `A-Z a-z 0-9 _ - .`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct AccountId(Arc<str>);

impl AccountId {
    /// The account's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AccountId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(NotAnId::new(
                text,
                "an account: 1 to 64 letters, digits, '_', '-' or '.'",
            ))
        }
    }
}

impl JsonSchema for AccountId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AccountId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}$"})
    }
}

impl TryFrom<String> for AccountId {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        text.parse()
    }
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The key of a record on `feedback.events`: events of one customer keep their
/// order, and the key tells nobody who it is. Hex of the first 16 bytes of
/// SHA-256 of `account/customer_id`, or of `account/event id` without one.
#[must_use]
pub fn partition_key(account: &AccountId, customer: Option<&str>, event: EventId) -> String {
    let mut hash = Sha256::new();
    hash.update(account.as_str());
    hash.update("/");
    match customer {
        Some(customer) => hash.update(customer),
        None => hash.update(event.text()),
    }
    ascii(&hex(first_128_bits(&hash.finalize()))).to_owned()
}
