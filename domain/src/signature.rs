//! The two signatures of a delivery.
//!
//! `X-FeedbackPro-Signature` is what the product page promises: HMAC-SHA256 of
//! the raw body with the secret's text as key. `webhook-signature` follows
//! Standard Webhooks 1.0.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    Secret, Timestamp,
    ids::{ascii, hex},
};

type HmacSha256 = Hmac<Sha256>;

/// A secret made ready for signing: both keys are expanded once, so that a
/// signature costs only the hashing of its message.
#[derive(Clone)]
pub struct SigningKey {
    page: HmacSha256,
    standard: HmacSha256,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(********)")
    }
}

impl SigningKey {
    /// The keys of a secret: its text for the page's signature, the decoded
    /// part after `whsec_` for Standard Webhooks.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        let key = |bytes: &[u8]| {
            <HmacSha256 as KeyInit>::new_from_slice(bytes).expect("HMAC takes keys of any length")
        };
        Self {
            page: key(secret.expose().as_bytes()),
            standard: key(secret.key_bytes()),
        }
    }
}

/// The value of `X-FeedbackPro-Signature`: `sha256=<hex>`, one for each key,
/// separated by commas (two during a rotation, the newest first).
#[must_use]
pub fn feedbackpro_signature(keys: &[SigningKey], body: &[u8]) -> String {
    let mut value = String::with_capacity(72 * keys.len());
    for key in keys {
        if !value.is_empty() {
            value.push(',');
        }
        value.push_str("sha256=");
        let mut mac = key.page.clone();
        mac.update(body);
        for half in mac.finalize().into_bytes().as_chunks().0 {
            value.push_str(ascii(&hex(u128::from_be_bytes(*half))));
        }
    }
    value
}

/// The value of `webhook-signature`: `v1,<base64>` of `id.timestamp.body`, one
/// for each key, separated by spaces. `at` is the moment of this attempt and
/// counts in whole seconds, as `webhook-timestamp` does.
#[must_use]
pub fn standard_signature(keys: &[SigningKey], id: &str, at: Timestamp, body: &[u8]) -> String {
    let seconds = at.millis().div_euclid(1_000).to_string();
    let mut value = String::with_capacity(48 * keys.len());
    for key in keys {
        if !value.is_empty() {
            value.push(' ');
        }
        value.push_str("v1,");
        let mut mac = key.standard.clone();
        for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
            mac.update(part);
        }
        STANDARD.encode_string(mac.finalize().into_bytes(), &mut value);
    }
    value
}
