//! Both signatures of a delivery, checked as a customer would, by code that
//! shares nothing with the code that signs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use standardwebhooks::Webhook;

use super::Request;

pub(super) fn verify(request: &Request, secret: &str) -> Result<(), String> {
    let body = &request.body[..];

    // As `hash_hmac('sha256', $body, $secret)`: the key is the secret's text.
    let expected = format!("sha256={}", hex(&hmac_sha256(secret.as_bytes(), &[body])));
    let header = request.header("x-feedbackpro-signature");
    if !header
        .split(',')
        .any(|signature| signature.trim() == expected)
    {
        return Err(format!(
            "X-FeedbackPro-Signature: expected {expected}, found {header:?}"
        ));
    }

    // Standard Webhooks 1.0: the key is what `whsec_` stands before, decoded.
    let key = secret
        .strip_prefix("whsec_")
        .ok_or("the secret does not begin with whsec_")?;
    let key = STANDARD
        .decode(key)
        .map_err(|error| format!("the secret is not base64: {error}"))?;
    let (id, timestamp) = (
        request.header("webhook-id"),
        request.header("webhook-timestamp"),
    );
    let signed = hmac_sha256(
        &key,
        &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body],
    );
    let expected = format!("v1,{}", STANDARD.encode(signed));
    let header = request.header("webhook-signature");
    if !header.split(' ').any(|signature| signature == expected) {
        return Err(format!(
            "webhook-signature: expected {expected}, found {header:?}"
        ));
    }
    Webhook::new(secret)
        .and_then(|webhook| webhook.verify(body, &request.headers))
        .map_err(|error| format!("the crate standardwebhooks says: {error}"))
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
