//! The demo receiver: what a shop's server does with a delivery. It verifies
//! the signature before it looks at the body, and says what came.

use std::{
    io::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::bail;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use bytes::Bytes;
use domain::{Secret, SigningKey, feedbackpro_signature};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

/// Verifies with the demo endpoint's secret, and counts.
pub(crate) struct Receiver {
    key: Mutex<Option<SigningKey>>,
    received: watch::Sender<usize>,
}

/// The receiver's paths: one that works, one that always fails.
pub(crate) fn routes(receiver: Arc<Receiver>) -> Router {
    Router::new()
        .route("/webhooks/feedback", post(accept))
        .route("/broken", post(refuse))
        .with_state(receiver)
}

impl Receiver {
    pub(crate) fn new() -> Self {
        Self {
            key: Mutex::new(None),
            received: watch::Sender::new(0),
        }
    }

    /// Verifies with this secret from now on.
    pub(crate) fn knows(&self, secret: &Secret) {
        let mut key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        *key = Some(SigningKey::new(secret));
    }

    /// Waits until so many verified deliveries came.
    pub(crate) async fn has_received(&self, count: usize, within: Duration) -> anyhow::Result<()> {
        let mut received = self.received.subscribe();
        let waited = tokio::time::timeout(within, received.wait_for(|got| *got >= count)).await;
        match waited {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => bail!(
                "the samples did not reach the demo receiver within {} s: is the broker reachable?",
                within.as_secs()
            ),
        }
    }

    /// Whether one of the signatures is ours: HMAC-SHA256 of the raw body,
    /// compared in constant time.
    fn verifies(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(key) = key.as_ref() else {
            return false;
        };
        let expected = feedbackpro_signature(std::slice::from_ref(key), body);
        text(headers, "x-feedbackpro-signature")
            .split(',')
            .any(|signature| signature.as_bytes().ct_eq(expected.as_bytes()).into())
    }
}

async fn accept(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let verified = receiver.verifies(&headers, &body);
    say(
        &headers,
        &body,
        if verified {
            "verified"
        } else {
            "NOT VERIFIED: signed with another secret"
        },
    );
    if verified {
        receiver.received.send_modify(|received| *received += 1);
        StatusCode::OK
    } else {
        StatusCode::UNAUTHORIZED
    }
}

async fn refuse(headers: HeaderMap, body: Bytes) -> StatusCode {
    say(&headers, &body, "answered 500, as /broken always does");
    StatusCode::INTERNAL_SERVER_ERROR
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// A delivery in two lines. What came from outside is shown without control
/// characters, so that it cannot write to the terminal.
fn say(headers: &HeaderMap, body: &[u8], what: &str) {
    let shown: String = String::from_utf8_lossy(body)
        .chars()
        .take(200)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let line = format!(
        "  <- {} attempt {} ({what})\n     {shown}\n",
        text(headers, "x-feedbackpro-event"),
        text(headers, "x-feedbackpro-attempt"),
    );
    if let Err(error) = std::io::stdout().lock().write_all(line.as_bytes()) {
        tracing::debug!(%error, "a delivery could not be printed");
    }
}
