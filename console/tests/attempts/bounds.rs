//! What leaves the index, and what stays.

use std::time::Duration;

use console::attempts::{DeliveryState, Filter, Range, Scope};
use domain::{AfterAttempt, AttemptRecord, Timestamp};
use proptest::prelude::*;

use crate::bed::{Bed, before, endpoint, record, records, retry, runtime};
use crate::model::Model;

const DAY: Duration = Duration::from_secs(24 * 3600);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_newest_records_stay_and_what_waits_and_charts_are_the_same(
        mut records in records(Timestamp::now()),
        batch in 1..60_usize,
    ) {
        let now = Timestamp::now();
        // One partition after the other, as a rebuild may read them.
        records.sort_by_key(|record| (record.delivery.event.to_bytes()[0] % 3, record.at));
        // More than all deliveries, so that none has to go for itself.
        let most = 50;
        let mut bed = Bed::new(most);
        bed.take(&records, batch, now);
        let model = Model::of(&records, now);
        let attempts = bed.writer.sizes().attempts;
        prop_assert_eq!(attempts, most.min(u64::try_from(model.records.len()).unwrap()));

        let mut kept: Vec<Timestamp> = Vec::new();
        for id in model.deliveries(&Scope::All, None).into_keys() {
            let found = runtime().block_on(bed.attempts.delivery(Scope::All, id)).unwrap();
            let Some(found) = found else { continue };
            let waits = DeliveryState::after(&found.summary.after) == DeliveryState::Waiting;
            prop_assert!(waits || !found.records.is_empty());
            kept.extend(found.records.iter().map(|record| record.at));
        }
        kept.sort_unstable();
        let mut newest: Vec<Timestamp> = model.records.iter().map(|record| record.at).collect();
        newest.sort_unstable();
        let gone = newest.len() - kept.len();
        prop_assert_eq!(kept, newest.split_off(gone));

        let waiting = runtime().block_on(bed.attempts.waiting(Scope::All, None)).unwrap();
        let expected = model.waiting(&Scope::All, None);
        prop_assert_eq!(waiting.by_tier().len(), expected.len());
        for at in waiting.by_tier() {
            prop_assert_eq!((at.deliveries, at.next_due), expected[&at.tier]);
        }
        let week = bed.attempts.series(Scope::All, None, Range::Week, now);
        let week = runtime().block_on(week).unwrap();
        let steps = model.steps(&Scope::All, None, Range::Week);
        let attempts: u64 = steps.values().map(|(counts, _)| counts.attempts()).sum();
        prop_assert_eq!(week.counts.attempts(), attempts);
    }
}

#[tokio::test]
async fn what_is_older_than_the_topic_keeps_leaves_bit_by_bit() {
    // In the middle of a step of two hours, so that all of them lie in it.
    let start: Timestamp = "2026-01-01T01:00:00Z".parse().unwrap();
    let mut bed = Bed::new(100_000);
    let old: Vec<AttemptRecord> = (0..3_000_u64)
        .map(|number| {
            let at = before(start, Duration::from_millis(3_000 - number));
            let after = if number % 2 == 0 {
                AfterAttempt::Delivered
            } else {
                retry(at, "1h")
            };
            let mut old = record(0, 1, at, after);
            old.delivery.event = domain::EventId::generate();
            old
        })
        .collect();
    bed.take(&old, 500, start);
    let later = start + 7 * DAY;
    // Nothing has come: the index goes on by itself.
    let mut steps = 0;
    while bed.writer.prune(later).unwrap() {
        steps += 1;
    }
    assert!(steps >= 3, "{steps}");
    assert_eq!(bed.writer.sizes(), Default::default());
    let waiting = bed.attempts.waiting(Scope::All, None).await.unwrap();
    assert!(waiting.endpoints.is_empty());
    // Whoever asks with a clock that is behind.
    let earlier = before(later, DAY / 12);
    let week = bed.attempts.series(Scope::All, None, Range::Week, earlier);
    assert_eq!(week.await.unwrap().counts.attempts(), 3_000);

    while bed.writer.prune(later + DAY).unwrap() {}
    let week = bed.attempts.series(Scope::All, None, Range::Week, earlier);
    assert_eq!(week.await.unwrap().counts.attempts(), 0);
}

#[tokio::test]
async fn records_that_are_too_old_when_they_come_are_passed_over() {
    let now = Timestamp::now();
    let mut bed = Bed::new(100);
    let old = record(0, 1, before(now, 8 * DAY), AfterAttempt::Delivered);
    let new = record(1, 1, now, AfterAttempt::Delivered);
    let applied = bed
        .writer
        .apply(&[old, new], &[(0, 2)].into(), now)
        .unwrap();
    assert_eq!(applied.too_old, 1);
    assert_eq!(bed.writer.sizes().attempts, 1);
    assert_eq!(bed.writer.positions(), &[(0, 2)].into());
}

#[tokio::test]
async fn more_waiting_deliveries_than_records_are_held_too_many_the_oldest_go() {
    let now = Timestamp::now();
    let mut bed = Bed::new(10);
    let waiting: Vec<AttemptRecord> = (0..40_u8)
        .map(|number| {
            let at = before(now, Duration::from_secs(60 - u64::from(number)));
            record(number, 1, at, retry(at, "1h"))
        })
        .collect();
    bed.take(&waiting, 7, now);
    let sizes = bed.writer.sizes();
    assert_eq!((sizes.attempts, sizes.deliveries), (10, 10));
    let figures = bed
        .attempts
        .endpoints(Scope::All, vec![endpoint(1)], Range::Hour, now)
        .await
        .unwrap();
    assert_eq!(figures[0].waiting, 10);
    let list = bed.list(&Scope::All, Filter::default(), 50).await;
    assert_eq!(list.len(), 10);
    assert_eq!(list[0].id, waiting[39].delivery);
}
