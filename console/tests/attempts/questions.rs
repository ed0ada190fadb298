//! Every answer is what looking through all records gives.

use std::collections::BTreeMap;

use console::attempts::{DeliveryState, Filter, Range, Scope};
use domain::{EndpointId, EventKind, Timestamp};
use proptest::prelude::*;

use crate::bed::{Bed, HOUR, account, before, endpoint, event, records, runtime};
use crate::model::Model;

const PLENTY: u64 = 1_000_000;

fn scopes() -> [Scope; 4] {
    [
        Scope::All,
        Scope::Account(account(1)),
        Scope::Account(account(2)),
        // Nothing is known of it.
        Scope::Account(account(3)),
    ]
}

/// None, those of both accounts, and one that nothing is known of.
fn endpoints() -> Vec<Option<EndpointId>> {
    let known = [10, 11, 12, 20, 21, 22, 99].map(|number| Some(endpoint(number)));
    std::iter::once(None).chain(known).collect()
}

/// An index with these records, taken in by batches, and the model of them.
fn both(records: &[domain::AttemptRecord], batch: usize, now: Timestamp) -> (Bed, Model) {
    let mut bed = Bed::new(PLENTY);
    bed.take(records, batch, now);
    (bed, Model::of(records, now))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn charts_are_what_all_records_add_up_to(
        records in records(Timestamp::now()),
        batch in 1..60_usize,
    ) {
        let now = Timestamp::now();
        let (bed, model) = both(&records, batch, now);
        for (scope, endpoint) in each(&scopes(), &endpoints()) {
            for range in Range::ALL {
                let series = bed.attempts.series(scope.clone(), endpoint, range, now);
                let series = runtime().block_on(series).unwrap();
                let expected = model.steps(&scope, endpoint, range);
                let found: Vec<_> = series.points.iter().map(|point| (point.start, point.counts)).collect();
                let counts: Vec<_> = expected.iter().map(|(start, (counts, _))| (*start, *counts)).collect();
                prop_assert_eq!(found, counts);
                for (point, (_, times)) in series.points.iter().zip(expected.values()) {
                    prop_assert!(is_close(point.times.percentile(0.95), times, 0.95));
                }
                let all: Vec<u32> = expected.values().flat_map(|(_, times)| times.clone()).collect();
                prop_assert!(is_close(series.times.percentile(0.5), &all, 0.5));
                prop_assert_eq!(series.counts.attempts(), u64::try_from(all.len()).unwrap());
            }
        }
    }

    #[test]
    fn endpoints_do_as_their_records_say(
        records in records(Timestamp::now()),
        batch in 1..60_usize,
    ) {
        let now = Timestamp::now();
        let (bed, model) = both(&records, batch, now);
        let asked: Vec<EndpointId> = endpoints().into_iter().flatten().collect();
        for scope in scopes() {
            for (range, asked) in each(&Range::ALL, &[asked.clone(), asked[..1].to_vec()]) {
                let figures = bed.attempts.endpoints(scope.clone(), asked.clone(), range, now);
                let figures = runtime().block_on(figures).unwrap();
                prop_assert_eq!(figures.len(), asked.len());
                for (found, endpoint) in figures.iter().zip(asked) {
                    prop_assert_eq!(found.endpoint, endpoint);
                    let moments = [found.last_attempt, found.last_success, found.failing_since];
                    prop_assert_eq!(moments, model.health(&scope, endpoint));
                    let steps = model.steps(&scope, Some(endpoint), range);
                    let delivered: u64 = steps.values().map(|(counts, _)| counts.delivered).sum();
                    let attempts: u64 = steps.values().map(|(counts, _)| counts.attempts()).sum();
                    prop_assert_eq!(found.counts.delivered, delivered);
                    prop_assert_eq!(found.counts.attempts(), attempts);
                    let waiting = model.waiting(&scope, Some(endpoint));
                    let waiting: u64 = waiting.values().map(|(count, _)| count).sum();
                    prop_assert_eq!(found.waiting, waiting);
                }
            }
        }
    }

    #[test]
    fn what_waits_is_what_the_latest_records_say(
        records in records(Timestamp::now()),
        batch in 1..60_usize,
    ) {
        let (bed, model) = both(&records, batch, Timestamp::now());
        for (scope, endpoint) in each(&scopes(), &endpoints()) {
            let waiting = bed.attempts.waiting(scope.clone(), endpoint);
            let waiting = runtime().block_on(waiting).unwrap();
            let found: BTreeMap<_, _> = waiting
                .by_tier()
                .into_iter()
                .map(|at| (at.tier, (at.deliveries, at.next_due)))
                .collect();
            prop_assert_eq!(found, model.waiting(&scope, endpoint));
        }
    }

    #[test]
    fn the_list_has_what_matches_once_and_the_newest_first(
        records in records(Timestamp::now()),
        batch in 1..60_usize,
        limit in 1..9_usize,
    ) {
        let now = Timestamp::now();
        let (bed, model) = both(&records, batch, now);
        for (scope, filter) in each(&scopes(), &filters(now)) {
            let found = runtime().block_on(bed.list(&scope, filter, limit));
            prop_assert!(found.is_sorted_by(|one, next| one.first_at >= next.first_at));
            let mut ids: Vec<_> = found.iter().map(|delivery| delivery.id).collect();
            ids.sort_unstable();
            prop_assert_eq!(ids, model.matching(&scope, filter));
        }
    }

    #[test]
    fn a_delivery_has_its_records_in_order_and_stands_as_the_latest_says(
        records in records(Timestamp::now()),
        batch in 1..60_usize,
    ) {
        let (bed, model) = both(&records, batch, Timestamp::now());
        for (id, expected) in model.deliveries(&Scope::All, None) {
            let of = expected[0].account.clone();
            let stranger = if of == account(1) { account(2) } else { account(1) };
            for (scope, is_seen) in [
                (Scope::All, true),
                (Scope::Account(of), true),
                (Scope::Account(stranger), false),
            ] {
                let found = runtime().block_on(bed.attempts.delivery(scope, id)).unwrap();
                prop_assert_eq!(found.is_some(), is_seen);
                let Some(found) = found else { continue };
                prop_assert_eq!(&found.records, &expected);
                prop_assert!(!found.is_cut);
                let last = expected.last().unwrap();
                let made = expected.iter().filter(|record| record.was_made()).count();
                let summary = found.summary;
                prop_assert_eq!(summary.id, id);
                prop_assert_eq!(summary.first_at, model.first_at(id));
                prop_assert_eq!(summary.last_at, last.at);
                prop_assert_eq!(&summary.after, &last.after);
                prop_assert_eq!(summary.last_status, last.status);
                prop_assert_eq!(&summary.last_error, &last.error);
                prop_assert_eq!(usize::try_from(summary.attempts).unwrap(), made);
            }
        }
    }
}

fn filters(now: Timestamp) -> Vec<Filter> {
    let any = Filter::default();
    let hour = std::time::Duration::from_millis(u64::try_from(HOUR).unwrap());
    let mut filters = vec![
        any,
        Filter {
            event: Some(event(2)),
            ..any
        },
        Filter {
            event: Some(event(2)),
            endpoint: Some(endpoint(11)),
            ..any
        },
        Filter {
            event: Some(event(3)),
            state: Some(DeliveryState::Failed),
            ..any
        },
        Filter {
            endpoint: Some(endpoint(21)),
            ..any
        },
        Filter {
            endpoint: Some(endpoint(10)),
            state: Some(DeliveryState::Waiting),
            ..any
        },
        Filter {
            since: Some(before(now, 2 * hour)),
            ..any
        },
        Filter {
            since: Some(before(now, 30 * hour)),
            until: Some(before(now, hour)),
            ..any
        },
    ];
    filters.extend(DeliveryState::ALL.map(|state| Filter {
        state: Some(state),
        ..any
    }));
    filters.extend(EventKind::ALL.map(|kind| Filter {
        kind: Some(kind),
        ..any
    }));
    filters
}

fn each<A: Clone, B: Clone>(one: &[A], other: &[B]) -> Vec<(A, B)> {
    let pairs = one
        .iter()
        .flat_map(|a| other.iter().map(|b| (a.clone(), b.clone())));
    pairs.collect()
}

/// Within 7 % or a millisecond of the exact percentile.
fn is_close(found: Option<u32>, times: &[u32], part: f64) -> bool {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (part * f64::from(u32::try_from(sorted.len()).unwrap())).ceil();
    let exact = sorted
        .iter()
        .enumerate()
        .find(|(place, _)| f64::from(u32::try_from(place + 1).unwrap()) >= rank);
    match (found, exact) {
        (None, None) => true,
        (Some(found), Some((_, exact))) => {
            let off = f64::from(found.abs_diff(*exact));
            off <= 1.0 || off / f64::from(*exact) < 0.07
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}
