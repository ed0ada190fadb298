//! What came last, for those who watch.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{Timestamp, record::MAX_HEADER_BYTES};
use serde::Serialize;
use tokio::sync::watch;

/// How many deliveries are kept. Each has at most 64 KiB.
const KEPT: usize = 50;

/// Whether the delivery was signed with the demo endpoint's secret.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Signature {
    Verified,
    Wrong,
    Unchecked,
}

/// A delivery as it came. All text is the sender's, and hostile.
#[derive(Debug, Serialize)]
pub(super) struct Received {
    event: String,
    id: String,
    attempt: String,
    signature: Signature,
    status: u16,
    at: Timestamp,
    payload: String,
}

impl Received {
    pub(super) fn new(
        event: &str,
        id: &str,
        attempt: &str,
        signature: Signature,
        status: u16,
        payload: &[u8],
    ) -> Self {
        let bounded = |text: &str| text.chars().take(MAX_HEADER_BYTES).collect();
        Self {
            event: bounded(event),
            id: bounded(id),
            attempt: bounded(attempt),
            signature,
            status,
            at: Timestamp::now(),
            payload: String::from_utf8_lossy(payload).into_owned(),
        }
    }
}

/// The last deliveries, numbered from 0 in the order in which they came. Who
/// reads slower than they come misses some; nothing waits for a reader.
pub(super) struct Log {
    kept: Mutex<Kept>,
    /// The number that the next one gets.
    next: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    first: u64,
    deliveries: VecDeque<Arc<Received>>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            kept: Mutex::default(),
            next: watch::Sender::new(0),
        }
    }

    pub(super) fn add(&self, received: Received) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.deliveries.len() == KEPT {
            kept.deliveries.pop_front();
            kept.first += 1;
        }
        kept.deliveries.push_back(Arc::new(received));
        // Within the lock, so that numbers and order agree.
        self.next.send_modify(|next| *next += 1);
    }

    /// The oldest one kept that has at least this number.
    pub(super) fn from(&self, number: u64) -> Option<(u64, Arc<Received>)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let number = number.max(kept.first);
        let index = usize::try_from(number - kept.first).ok()?;
        let received = kept.deliveries.get(index)?;
        Some((number, Arc::clone(received)))
    }

    /// Tells when one is added.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.next.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(number: u64) -> Received {
        let id = number.to_string();
        Received::new("new_feedback", &id, "1", Signature::Verified, 200, b"{}")
    }

    #[test]
    fn the_oldest_makes_room_and_a_slow_reader_goes_on_with_what_is_left() {
        let log = Log::new();
        assert!(log.from(0).is_none());
        for number in 0..KEPT as u64 + 3 {
            log.add(numbered(number));
        }
        let (number, oldest) = log.from(0).expect("some are kept");
        assert_eq!((number, oldest.id.as_str()), (3, "3"));
        let newest = KEPT as u64 + 2;
        let (number, last) = log.from(newest).expect("the newest is kept");
        assert_eq!(
            (number, last.id.as_str()),
            (newest, newest.to_string().as_str())
        );
        assert!(log.from(newest + 1).is_none());
        assert_eq!(log.kept.lock().unwrap().deliveries.len(), KEPT);
    }

    #[test]
    fn bytes_that_are_no_text_and_long_headers_are_kept_within_bounds() {
        let long = "ä".repeat(5_000);
        let received = Received::new(&long, "", "", Signature::Wrong, 401, b"\xff<b>");
        assert_eq!(received.event.chars().count(), MAX_HEADER_BYTES);
        assert_eq!(received.payload, "\u{fffd}<b>");
    }
}
