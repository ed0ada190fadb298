//! An index in a folder of its own, and records to write.

use std::path::PathBuf;
use std::time::Duration;

use console::attempts::{Attempts, Cursor, DeliverySummary, Filter, Scope, Writer};
use domain::{
    AccountId, AfterAttempt, AttemptRecord, DeadLetterReason, DeferReason, DeliveryId, EndpointId,
    EventId, EventKind, Tier, Timestamp,
};
use index::{Identity, Positions};
use proptest::prelude::*;

pub(crate) struct Bed {
    pub(crate) writer: Writer,
    pub(crate) attempts: Attempts,
    folder: PathBuf,
}

impl Bed {
    pub(crate) fn new(max_attempts: u64) -> Self {
        let folder = std::env::temp_dir().join(format!("attempts-{}", EventId::generate()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("attempts.sqlite");
        let identity = Identity {
            topic: "webhooks.attempts".to_owned(),
            cluster: "test".to_owned(),
        };
        let (writer, _) = Writer::open(&path, &identity, max_attempts).unwrap();
        Self {
            writer,
            attempts: Attempts::of_file(&path),
            folder,
        }
    }

    /// Takes records in by batches of `batch`.
    pub(crate) fn take(&mut self, records: &[AttemptRecord], batch: usize, now: Timestamp) {
        for records in records.chunks(batch) {
            self.writer.apply(records, &Positions::new(), now).unwrap();
        }
    }

    /// All pages of the list.
    pub(crate) async fn list(
        &self,
        scope: &Scope,
        filter: Filter,
        limit: usize,
    ) -> Vec<DeliverySummary> {
        let mut all = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let page = self
                .attempts
                .deliveries(scope.clone(), filter, after, limit)
                .await
                .unwrap();
            assert!(page.deliveries.len() <= limit);
            all.extend(page.deliveries);
            match page.next {
                // As it travels in a URL.
                Some(next) => after = Some(next.to_string().parse().unwrap()),
                None => return all,
            }
        }
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

pub(crate) fn account(number: u8) -> AccountId {
    format!("account-{number}").parse().unwrap()
}

pub(crate) fn endpoint(number: u8) -> EndpointId {
    EndpointId::from_bytes([number; 16])
}

/// The event is of the kind with its number.
pub(crate) fn event(number: u8) -> EventId {
    EventId::from_bytes([number; 16])
}

pub(crate) fn tier(text: &str) -> Tier {
    text.parse().unwrap()
}

pub(crate) fn before(now: Timestamp, ago: Duration) -> Timestamp {
    Timestamp::from_millis(now.millis() - i64::try_from(ago.as_millis()).unwrap())
}

/// A record of account 1, to be changed.
pub(crate) fn record(
    event_number: u8,
    endpoint_number: u8,
    at: Timestamp,
    after: AfterAttempt,
) -> AttemptRecord {
    let status = match &after {
        AfterAttempt::Delivered => Some(200),
        AfterAttempt::Retry { .. } | AfterAttempt::DeadLetter { .. } => Some(503),
        AfterAttempt::Deferred { .. } => None,
    };
    AttemptRecord {
        delivery: DeliveryId {
            event: event(event_number),
            endpoint: endpoint(endpoint_number),
        },
        account: account(1),
        event: EventKind::ALL[usize::from(event_number) % 4],
        attempt: 1,
        at,
        duration_ms: 20,
        status,
        error: (status == Some(503)).then(|| "status: 503 Service Unavailable".to_owned()),
        response: Some(format!("{event_number} at {}", at.millis())),
        after,
        topic: "feedback.events".into(),
        partition: 3,
        offset: 17,
    }
}

pub(crate) fn retry(at: Timestamp, delay: &str) -> AfterAttempt {
    let tier = tier(delay);
    AfterAttempt::Retry {
        due_at: at + tier.delay(),
        tier,
    }
}

pub(crate) fn deferred(at: Timestamp, delay: &str) -> AfterAttempt {
    let tier = tier(delay);
    AfterAttempt::Deferred {
        due_at: at + tier.delay(),
        tier,
        reason: DeferReason::Paused,
    }
}

/// Records of two accounts with three endpoints each and seven events, of the
/// last eight days and the next minute; each account has its own endpoints.
pub(crate) fn records(now: Timestamp) -> impl Strategy<Value = Vec<AttemptRecord>> {
    let ago = prop_oneof![
        3 => 0..2 * HOUR,
        3 => 0..30 * HOUR,
        2 => 0..8 * 24 * HOUR,
        1 => -MINUTE..0,
        // Several of the same moment.
        1 => Just(5_000),
    ];
    let one = (
        1..=2_u8,
        0..3_u8,
        0..7_u8,
        ago,
        0..8_u8,
        0..6_000_u32,
        1..7_u32,
    );
    let one = one.prop_map(
        move |(owner, place, event_number, ago, what, took, attempt)| {
            let at = Timestamp::from_millis(now.millis() - ago);
            let after = match what {
                0..3 => AfterAttempt::Delivered,
                3 => retry(at, "15s"),
                4 => retry(at, "1h"),
                5 => deferred(at, "15s"),
                6 => AfterAttempt::DeadLetter {
                    reason: DeadLetterReason::AttemptsExhausted,
                },
                _ => AfterAttempt::DeadLetter {
                    reason: DeadLetterReason::Expired,
                },
            };
            AttemptRecord {
                account: account(owner),
                duration_ms: took,
                attempt,
                ..record(event_number, owner * 10 + place, at, after)
            }
        },
    );
    proptest::collection::vec(one, 0..150)
}

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
