//! Attempts of one account as dispatchers write them, over seven days, most of
//! them young.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use domain::{
    AccountId, AfterAttempt, AttemptRecord, DeadLetterReason, DeferReason, DeliveryId, EndpointId,
    EventId, EventKind, Schedule, Timestamp,
};

/// How far back the records reach.
const SPREAD: Duration = Duration::from_secs(7 * 24 * 3600 - 60);
const HOUR: u64 = 3600 * 1000;

/// What is to be attempted, the next one first.
type Due = Reverse<(i64, u64)>;

/// What is attempted, one record after the other.
pub(super) struct Attempts {
    endpoints: Vec<EndpointId>,
    account: AccountId,
    schedule: Schedule,
    /// Moments of first attempts, the last one first.
    begins: Vec<i64>,
    due: BinaryHeap<Due>,
    waiting: HashMap<u64, AttemptRecord>,
    numbered: u64,
    taken: i64,
    random: u64,
}

impl Attempts {
    /// So many until `now`.
    pub(super) fn new(
        account: AccountId,
        endpoints: Vec<EndpointId>,
        count: usize,
        now: Timestamp,
    ) -> Self {
        let mut all = Self {
            endpoints,
            account,
            schedule: Schedule::parse(&["15s", "2m", "10m", "1h", "6h"]).expect("it is one"),
            begins: Vec::new(),
            due: BinaryHeap::new(),
            waiting: HashMap::new(),
            numbered: 0,
            taken: 0,
            random: 0x9e37_79b9_7f4a_7c15,
        };
        let spread = u64::try_from(SPREAD.as_millis()).unwrap_or(u64::MAX);
        let begins = (0..count).map(|number| {
            // A third each of the last hour, day and week.
            let reach = [HOUR, 24 * HOUR, spread][number % 3];
            now.millis() - i64::try_from(all.below(reach)).unwrap_or(0)
        });
        let mut begins: Vec<i64> = begins.collect();
        begins.sort_unstable_by_key(|begin| Reverse(*begin));
        all.begins = begins;
        all
    }

    /// So many that begin now, beside the retries that are due.
    pub(super) fn live(&mut self, count: usize) -> Vec<AttemptRecord> {
        self.begins = vec![Timestamp::now().millis(); count];
        self.take(count).collect()
    }

    fn one(&mut self) -> Option<AttemptRecord> {
        let begin = self.begins.last().copied();
        let due = self.due.peek().map(|Reverse((at, _))| *at);
        let record = match (begin, due) {
            (None, None) => return None,
            (Some(begin), due) if due.is_none_or(|due| begin <= due) => {
                self.begins.pop();
                self.begin(begin)
            }
            (_, _) => {
                let Reverse((at, number)) = self.due.pop()?;
                let before = self.waiting.remove(&number)?;
                AttemptRecord {
                    attempt: before.attempt + u32::from(before.was_made()),
                    at: Timestamp::from_millis(at),
                    ..before
                }
            }
        };
        let record = self.happens(record);
        self.taken += 1;
        Some(record)
    }

    fn begin(&mut self, at: i64) -> AttemptRecord {
        let place = self.below(u64::try_from(self.endpoints.len()).unwrap_or(1));
        let kind = EventKind::ALL[usize::try_from(self.below(4)).unwrap_or(0)];
        // A UUIDv7 of that moment.
        let time = u128::try_from(at).unwrap_or(0) << 80;
        let random = u128::from(self.next_random()) << 8;
        AttemptRecord {
            delivery: DeliveryId {
                event: EventId::from_bytes((time | random).to_be_bytes()),
                endpoint: self.endpoints[usize::try_from(place).unwrap_or(0)],
            },
            account: self.account.clone(),
            event: kind,
            attempt: 1,
            at: Timestamp::from_millis(at),
            duration_ms: 0,
            status: None,
            error: None,
            response: None,
            after: AfterAttempt::Delivered,
            topic: "feedback.events".into(),
            partition: i32::try_from(self.below(6)).unwrap_or(0),
            offset: self.taken,
        }
    }

    /// Nine of ten attempts succeed, of the others a tenth are deferred. Of
    /// fifty endpoints one fails always.
    fn happens(&mut self, record: AttemptRecord) -> AttemptRecord {
        let fails = record.delivery.endpoint.to_bytes()[15].is_multiple_of(50);
        let luck = if fails { 95 } else { self.below(100) };
        let took = u32::try_from(5 + self.below(40) * self.below(40)).unwrap_or(0);
        if luck < 90 {
            return AttemptRecord {
                duration_ms: took,
                status: Some(200),
                error: None,
                response: Some(r#"{"received":true}"#.to_owned()),
                after: AfterAttempt::Delivered,
                ..record
            };
        }
        if luck == 99 {
            let tier = self.schedule.for_deferral(2);
            let after = AfterAttempt::Deferred {
                due_at: record.at + tier.delay(),
                tier,
                reason: DeferReason::Unresponsive,
            };
            let record = AttemptRecord {
                duration_ms: 0,
                status: None,
                error: None,
                response: None,
                after,
                ..record
            };
            return self.waits(record);
        }
        let failed = AttemptRecord {
            duration_ms: took,
            status: Some(503),
            error: Some("status: 503 Service Unavailable".to_owned()),
            response: Some("<html><body><h1>503 Service Unavailable</h1>".repeat(4)),
            after: AfterAttempt::Delivered,
            ..record
        };
        match self.schedule.after_attempt(failed.attempt, None) {
            Some(tier) => {
                let after = AfterAttempt::Retry {
                    due_at: failed.at + tier.delay(),
                    tier,
                };
                self.waits(AttemptRecord { after, ..failed })
            }
            None => AttemptRecord {
                after: AfterAttempt::DeadLetter {
                    reason: DeadLetterReason::AttemptsExhausted,
                },
                ..failed
            },
        }
    }

    fn waits(&mut self, record: AttemptRecord) -> AttemptRecord {
        if let AfterAttempt::Retry { due_at, .. } | AfterAttempt::Deferred { due_at, .. } =
            &record.after
        {
            self.due.push(Reverse((due_at.millis(), self.numbered)));
            self.waiting.insert(self.numbered, record.clone());
            self.numbered += 1;
        }
        record
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next_random() % end
    }

    /// The same numbers each time (splitmix64).
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// In the order of time.
impl Iterator for Attempts {
    type Item = AttemptRecord;

    fn next(&mut self) -> Option<AttemptRecord> {
        self.one()
    }
}
