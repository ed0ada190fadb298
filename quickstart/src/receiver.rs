//! The demo receiver: what a shop's server does with a delivery. It verifies
//! the signature before it looks at the body, and says what came.

mod feed;
mod received;

use std::{
    io::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::bail;
use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use bytes::Bytes;
use domain::{MAX_ENVELOPE_BYTES, Secret, SigningKey, feedbackpro_signature};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

pub(crate) use feed::feed;

use received::{Log, Received, Signature};

/// Verifies with the demo endpoint's secret, counts, and keeps what came last.
pub(crate) struct Receiver {
    key: Mutex<Option<SigningKey>>,
    verified: watch::Sender<usize>,
    log: Log,
}

/// The receiver's paths: one that works, one that always fails.
pub(crate) fn routes(receiver: Arc<Receiver>) -> Router {
    Router::new()
        .route("/webhooks/feedback", post(accept))
        .route("/broken", post(refuse))
        .layer(DefaultBodyLimit::max(MAX_ENVELOPE_BYTES))
        .with_state(receiver)
}

impl Receiver {
    pub(crate) fn new() -> Self {
        Self {
            key: Mutex::new(None),
            verified: watch::Sender::new(0),
            log: Log::new(),
        }
    }

    /// Verifies with this secret from now on.
    pub(crate) fn knows(&self, secret: &Secret) {
        let mut key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        *key = Some(SigningKey::new(secret));
    }

    /// Waits until so many verified deliveries came.
    pub(crate) async fn has_received(&self, count: usize, within: Duration) -> anyhow::Result<()> {
        let mut verified = self.verified.subscribe();
        let waited = tokio::time::timeout(within, verified.wait_for(|got| *got >= count)).await;
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

    fn keep(&self, headers: &HeaderMap, body: &[u8], signature: Signature, answer: StatusCode) {
        let received = Received::new(
            text(headers, "x-feedbackpro-event"),
            text(headers, "webhook-id"),
            text(headers, "x-feedbackpro-attempt"),
            signature,
            answer.as_u16(),
            body,
        );
        self.log.add(received);
    }
}

async fn accept(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let verified = receiver.verifies(&headers, &body);
    let (what, signature, answer) = if verified {
        ("verified", Signature::Verified, StatusCode::OK)
    } else {
        let what = "NOT VERIFIED: signed with another secret";
        (what, Signature::Wrong, StatusCode::UNAUTHORIZED)
    };
    say(&headers, &body, what);
    receiver.keep(&headers, &body, signature, answer);
    if verified {
        receiver.verified.send_modify(|verified| *verified += 1);
    }
    answer
}

/// What comes here is signed with secrets that the receiver does not know.
async fn refuse(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let answer = StatusCode::INTERNAL_SERVER_ERROR;
    say(&headers, &body, "answered 500, as /broken always does");
    receiver.keep(&headers, &body, Signature::Unchecked, answer);
    answer
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
