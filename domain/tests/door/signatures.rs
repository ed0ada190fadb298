//! Both signatures of a delivery, against vectors and verifiers made elsewhere.

use std::time::Duration;

use domain::{Secret, SigningKey, Timestamp, feedbackpro_signature, standard_signature};
use http::{HeaderMap, HeaderValue};

const FIRST: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const SECOND: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const EVENT: &str = "evt_0190bf5ce3807a6b9d2c8f3a2c91e047";
const BODY: &str = r#"{"event":"rating_submitted","id":"evt_0190bf5ce3807a6b9d2c8f3a2c91e047","timestamp":"2024-06-15T14:32:00Z","data":{"customer_id":"cus_9021","email":"anna.mueller@webshop.de","score":4,"product_sku":"BW-440-RED","session_page":"/checkout/thank-you"}}"#;

fn key(secret: &str) -> SigningKey {
    SigningKey::new(&Secret::parse(secret).unwrap())
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

#[test]
fn the_vectors_of_standard_webhooks_come_out() {
    for (secret, id, at, body, signature) in [
        (
            FIRST,
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1_649_367_553,
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
        (
            SECOND,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ] {
        assert_eq!(
            standard_signature(&[key(secret)], id, seconds(at), body.as_bytes()),
            signature
        );
    }
}

#[test]
fn parts_of_a_second_do_not_change_the_signature() {
    let sign = |at| standard_signature(&[key(FIRST)], EVENT, at, BODY.as_bytes());
    let second = seconds(1_700_000_000);
    assert_eq!(sign(second), sign(second + Duration::from_millis(999)));
    assert_ne!(sign(second), sign(second + Duration::from_millis(1_000)));
}

/// Verifies as a receiver does that uses the `standardwebhooks` library.
fn verified(secret: &str, signature: &str, at: Timestamp, body: &str) -> bool {
    let mut headers = HeaderMap::new();
    let value = |text: &str| HeaderValue::from_str(text).unwrap();
    headers.insert("webhook-id", value(EVENT));
    headers.insert("webhook-signature", value(signature));
    headers.insert(
        "webhook-timestamp",
        value(&(at.millis() / 1_000).to_string()),
    );
    standardwebhooks::Webhook::new(secret)
        .unwrap()
        .verify(body.as_bytes(), &headers)
        .is_ok()
}

#[test]
fn the_library_of_the_specification_verifies_what_we_sign() {
    let secret = Secret::generate();
    let now = Timestamp::now();
    let signature = standard_signature(&[SigningKey::new(&secret)], EVENT, now, BODY.as_bytes());
    assert!(verified(secret.expose(), &signature, now, BODY));
    assert!(!verified(FIRST, &signature, now, BODY), "another secret");
    let altered = BODY.replace("\"score\":4", "\"score\":5");
    assert!(!verified(secret.expose(), &signature, now, &altered));
    let later = now + Duration::from_secs(1);
    assert!(!verified(secret.expose(), &signature, later, BODY));
}

#[test]
fn the_pages_signature_is_hmac_sha256_of_the_body_with_the_secrets_text() {
    // printf %s "$BODY" | openssl dgst -sha256 -hmac "$SECRET"
    assert_eq!(
        feedbackpro_signature(&[key(FIRST)], BODY.as_bytes()),
        "sha256=628e2f0acbcefdf07ea47328e9c79471526cfde982b7769c14ceb38effeb181d"
    );
    assert_eq!(
        feedbackpro_signature(&[key(FIRST)], br#"{"test": 2432232314}"#),
        "sha256=fc40649f80ed2d64aa1f71768b00c87e0db70663005ac910f741c296eff3be32"
    );
}

#[test]
fn during_a_rotation_both_secrets_sign_the_newest_first() {
    let keys = [key(FIRST), key(SECOND)];
    assert_eq!(
        feedbackpro_signature(&keys, BODY.as_bytes()),
        "sha256=628e2f0acbcefdf07ea47328e9c79471526cfde982b7769c14ceb38effeb181d,\
         sha256=4f03db0e9da3aa8393473f5b43352124e80e5b21c5ca92607b4dcbb44feba4ad"
    );

    let now = Timestamp::now();
    let both = standard_signature(&keys, EVENT, now, BODY.as_bytes());
    let alone = |secret| standard_signature(&[key(secret)], EVENT, now, BODY.as_bytes());
    assert_eq!(both, format!("{} {}", alone(FIRST), alone(SECOND)));
    assert!(verified(FIRST, &both, now, BODY));
    assert!(verified(SECOND, &both, now, BODY));
}

#[test]
fn a_key_does_not_show_itself() {
    assert_eq!(format!("{:?}", key(FIRST)), "SigningKey(********)");
}
