//! The test bed: a real Apache Kafka, the real binaries, a real HTTP receiver,
//! a real browser.
//!
//! A test in one picture:
//!
//! ```no_run
//! # async fn test() {
//! use e2e::{Receiver, Stack, events};
//! use std::time::Duration;
//!
//! let receiver = Receiver::start();
//! let stack = Stack::builder().schedule(&["1s", "2s", "3s", "4s", "5s"]).start().await;
//! let endpoint = stack.client.create_endpoint(&receiver.url("/hook"), &["rating_submitted"]).await;
//! let id = stack.client.post_event(&events::rating_submitted(4)).await;
//! let got = receiver.wait_for_count("/hook", 1, Duration::from_secs(10)).await;
//! assert_eq!(got[0].webhook_id(), id);
//! got[0].verify(&endpoint.secret).unwrap();
//! # }
//! ```
//!
//! Every test has a topic prefix of its own, so that tests run side by side
//! on one broker. What a test starts ends with it, also when it is killed.

use std::time::{Duration, Instant};

pub mod client;
pub mod command;
pub mod events;
pub mod kafka;
mod node;
mod ports;
mod reaper;
pub mod receiver;
pub mod service;
pub mod settings;
mod stack;

pub use client::{Client, Endpoint, FailedPage, Reply};
pub use kafka::{Broker, Purpose};
pub use node::{browser, node};
pub use ports::free_port;
pub use reaper::Folder;
pub use receiver::{Answer, Receiver};
pub use service::{Binary, Service, Signal};
pub use settings::Settings;
pub use stack::{Stack, StackBuilder};

/// Asks for a fact every 20 ms until there is one, and returns it.
///
/// # Panics
/// When there is none within `deadline`; `what` says what was waited for.
pub async fn until<T>(
    what: &str,
    deadline: Duration,
    mut fact: impl AsyncFnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = fact().await {
            return value;
        }
        assert!(
            start.elapsed() < deadline,
            "not within {deadline:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The right to put the machine under load: tests that hold it run one after
/// another. (Tests of other binaries run at other times anyway.)
pub async fn alone() -> tokio::sync::MutexGuard<'static, ()> {
    static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    ALONE.lock().await
}

/// `length` random hexadecimal digits, at most 32.
#[must_use]
pub fn random_hex(length: usize) -> String {
    let mut digits = uuid::Uuid::new_v4().simple().to_string();
    digits.split_off(32 - length)
}
