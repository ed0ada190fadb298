//! What the answers must be: all records are kept and looked through.

use std::collections::BTreeMap;

use console::attempts::{Counts, DeliveryState, Filter, Range, Scope};
use domain::{AfterAttempt, AttemptRecord, DeliveryId, EndpointId, Tier, Timestamp};

/// Records in the order in which they came, as the index has to see them.
pub(crate) struct Model {
    pub(crate) records: Vec<AttemptRecord>,
    now: Timestamp,
}

impl Model {
    pub(crate) fn of(records: &[AttemptRecord], now: Timestamp) -> Self {
        let oldest = Timestamp::from_millis(now.millis() - 7 * 24 * 3600 * 1000);
        let kept = records.iter().filter(|record| record.at >= oldest).cloned();
        let records = kept.map(|record| AttemptRecord {
            at: record.at.min(now),
            ..record
        });
        Self {
            records: records.collect(),
            now,
        }
    }

    pub(crate) fn seen<'a>(
        &'a self,
        scope: &'a Scope,
        endpoint: Option<EndpointId>,
    ) -> impl Iterator<Item = &'a AttemptRecord> {
        self.records.iter().filter(move |record| {
            let in_scope = match scope {
                Scope::All => true,
                Scope::Account(account) => record.account == *account,
            };
            in_scope && endpoint.is_none_or(|endpoint| record.delivery.endpoint == endpoint)
        })
    }

    /// The records of each delivery in the order of time, and of one
    /// millisecond in the order in which they came.
    pub(crate) fn deliveries(
        &self,
        scope: &Scope,
        endpoint: Option<EndpointId>,
    ) -> BTreeMap<DeliveryId, Vec<AttemptRecord>> {
        let mut deliveries: BTreeMap<DeliveryId, Vec<AttemptRecord>> = BTreeMap::new();
        for record in self.seen(scope, endpoint) {
            let records = deliveries.entry(record.delivery).or_default();
            records.push(record.clone());
        }
        for records in deliveries.values_mut() {
            records.sort_by_key(|record| record.at);
        }
        deliveries
    }

    /// When each delivery began: its place in the list.
    pub(crate) fn first_at(&self, id: DeliveryId) -> Timestamp {
        let first = self.records.iter().find(|record| record.delivery == id);
        first.unwrap().at
    }

    pub(crate) fn matching(&self, scope: &Scope, filter: Filter) -> Vec<DeliveryId> {
        let deliveries = self.deliveries(scope, filter.endpoint).into_iter();
        let matching = deliveries.filter(|(id, records)| {
            let last = records.last().unwrap();
            let state = DeliveryState::after(&last.after);
            let first_at = self.first_at(*id);
            filter.event.is_none_or(|event| id.event == event)
                && filter.kind.is_none_or(|kind| last.event == kind)
                && filter.state.is_none_or(|wanted| state == wanted)
                && filter.since.is_none_or(|since| first_at >= since)
                && filter.until.is_none_or(|until| first_at < until)
        });
        matching.map(|(id, _)| id).collect()
    }

    /// Counts and times of the steps of a range.
    pub(crate) fn steps(
        &self,
        scope: &Scope,
        endpoint: Option<EndpointId>,
        range: Range,
    ) -> BTreeMap<Timestamp, (Counts, Vec<u32>)> {
        let step = i64::try_from(range.step().as_millis()).unwrap();
        let floor = |at: Timestamp| at.millis() - at.millis().rem_euclid(step);
        let steps = i64::from(range.steps());
        let mut all: BTreeMap<Timestamp, (Counts, Vec<u32>)> = (0..steps)
            .map(|back| Timestamp::from_millis(floor(self.now) - back * step))
            .map(|start| (start, Default::default()))
            .collect();
        for record in self.seen(scope, endpoint) {
            let start = Timestamp::from_millis(floor(record.at));
            if let Some((counts, times)) = all.get_mut(&start) {
                count(counts, record);
                times.extend(record.was_made().then_some(record.duration_ms));
            }
        }
        all
    }

    /// Deliveries that wait and the first due time, by tier.
    pub(crate) fn waiting(
        &self,
        scope: &Scope,
        endpoint: Option<EndpointId>,
    ) -> BTreeMap<Tier, (u64, Timestamp)> {
        let mut tiers: BTreeMap<Tier, (u64, Timestamp)> = BTreeMap::new();
        for records in self.deliveries(scope, endpoint).values() {
            match records.last().unwrap().after {
                AfterAttempt::Retry { due_at, tier }
                | AfterAttempt::Deferred { due_at, tier, .. } => {
                    let (count, first) = tiers.entry(tier).or_insert((0, due_at));
                    *count += 1;
                    *first = due_at.min(*first);
                }
                AfterAttempt::Delivered | AfterAttempt::DeadLetter { .. } => {}
            }
        }
        tiers
    }

    /// Last attempt, last success, first failure after it.
    pub(crate) fn health(&self, scope: &Scope, endpoint: EndpointId) -> [Option<Timestamp>; 3] {
        let made = |succeeded: bool| {
            let seen = self.seen(scope, Some(endpoint));
            seen.filter(move |record| {
                record.was_made() && (record.after == AfterAttempt::Delivered) == succeeded
            })
            .map(|record| record.at)
        };
        let last_success = made(true).max();
        let failing = made(false).filter(|at| Some(*at) > last_success).min();
        [made(false).max().max(last_success), last_success, failing]
    }
}

fn count(counts: &mut Counts, record: &AttemptRecord) {
    match record.after {
        AfterAttempt::Delivered => counts.delivered += 1,
        AfterAttempt::Retry { .. } => counts.retry += 1,
        AfterAttempt::Deferred { .. } => counts.deferred += 1,
        AfterAttempt::DeadLetter { reason } => {
            counts.dead_letter += 1;
            counts.dead_letter_without_attempt += u64::from(reason.is_without_attempt());
        }
    }
}
