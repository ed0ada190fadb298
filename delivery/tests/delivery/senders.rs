//! Clients for the tests, and the answers of their resolver.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use delivery::{
    AddressPolicy, Attempt, Client, Connector, Egress, Guard, GuardSettings, Limits, Resolve,
    Resolving, Target,
};
use domain::{Cause, Outcome};
use http::HeaderMap;
use tokio::time::timeout;

/// A name that tests resolve as they like.
pub(crate) const NAME: &str = "hooks.shop.example";

/// More than an attempt takes, however busy the machine is.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Limits for tests that run into the time-out, and on a busy machine not before they are to.
pub(crate) fn short() -> Limits {
    Limits {
        timeout: Duration::from_secs(2),
        ..Limits::default()
    }
}

/// Asks the resolver again for each request.
pub(crate) fn forgetful() -> Limits {
    Limits {
        dns_ttl: Duration::ZERO,
        ..Limits::default()
    }
}

/// The guard of the quickstart: plain http to the literal 127.0.0.1.
pub(crate) fn loopback_guard() -> Guard {
    Guard::new(GuardSettings {
        allow_plain_http_to_loopback: true,
        ..GuardSettings::default()
    })
}

/// A client of the quickstart's guard.
pub(crate) fn client(limits: Limits) -> Client {
    let connector = Connector::new(loopback_guard(), limits, &Egress::default());
    Client::new(Arc::new(connector.unwrap()))
}

/// Takes 127.0.0.0/8 for public and allows one port: names can lead to receivers here.
pub(crate) fn named_guard(port: u16) -> Guard {
    let settings = GuardSettings {
        allow_ports: vec![port],
        ..GuardSettings::default()
    };
    let loopback = "127.0.0.0/8".parse().unwrap();
    Guard::new(settings).with_addresses(AddressPolicy::public_only().except(loopback))
}

/// A client whose names are resolved by the test.
pub(crate) fn named_client(
    port: u16,
    limits: Limits,
    ca: Option<PathBuf>,
    resolver: &Arc<Answers>,
) -> Client {
    let egress = Egress {
        proxy: None,
        extra_ca: ca,
    };
    let connector = Connector::new(named_guard(port), limits, &egress).unwrap();
    let resolver = Arc::clone(resolver);
    Client::new(Arc::new(connector.with_resolver(resolver)))
}

pub(crate) fn target(client: &Client, url: &str) -> Target {
    client.connector().guard().check_url(url).unwrap()
}

/// Sends `{"n":1}` with one header of the attempt's own.
pub(crate) async fn post(client: &Client, target: &Target) -> Attempt {
    let body = Bytes::from_static(BODY);
    let attempt = timeout(SOON, client.outgoing(target, fill, body).send()).await;
    attempt.expect("an attempt ends")
}

pub(crate) const BODY: &[u8] = br#"{"n":1}"#;

pub(crate) fn fill(headers: &mut HeaderMap) {
    headers.insert("idempotency-key", "evt_1".parse().unwrap());
}

/// One attempt at a URL of plain loopback by a client of its own.
pub(crate) async fn post_once(limits: Limits, url: &str) -> Attempt {
    let client = client(limits);
    post(&client, &target(&client, url)).await
}

#[track_caller]
pub(crate) fn assert_answered(attempt: &Attempt, status: u16) {
    assert_eq!(attempt.outcome.status(), Some(status), "{attempt:?}");
}

/// The cause is this one, and the words are part of the reason.
#[track_caller]
pub(crate) fn assert_failed(attempt: &Attempt, cause: Cause, words: &str) {
    assert_eq!(attempt.outcome, Outcome::Failed(cause), "{attempt:?}");
    let reason = attempt.reason.as_deref().unwrap_or_default();
    assert!(reason.contains(words), "{words:?} is not in {reason:?}");
    assert!(reason.len() <= 256, "{reason:?}");
}

/// Resolves every name to the first of its answers, and to the last one for ever.
#[derive(Debug)]
pub(crate) struct Answers {
    answers: Mutex<VecDeque<&'static str>>,
    asked: AtomicUsize,
}

/// A lookup that does not end.
pub(crate) const HANGS: &str = "hangs";
/// A lookup that fails.
pub(crate) const FAILS: &str = "fails";

impl Answers {
    /// Each text an answer: addresses separated by spaces, [`HANGS`] or [`FAILS`].
    pub(crate) fn new(answers: &[&'static str]) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.iter().copied().collect()),
            asked: AtomicUsize::new(0),
        })
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Resolve for Answers {
    fn resolve(&self, _name: &str) -> Resolving {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.len() {
            1 => answers[0],
            _ => answers.pop_front().unwrap(),
        };
        Box::pin(async move {
            match answer {
                HANGS => std::future::pending().await,
                FAILS => Err(io::Error::other("no such name")),
                addresses => Ok(addresses.split(' ').map(|ip| ip.parse().unwrap()).collect()),
            }
        })
    }
}
