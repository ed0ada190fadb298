//! The offset tracker through its public door: what it commits, and what a
//! restart from that repeats.

use std::collections::BTreeSet;

use dispatcher::offsets::{Begun, MAX_METADATA_BYTES, Tracker, decode, encode};
use proptest::prelude::*;

/// Reads offsets 0 to `count` and completes those that `done` says.
fn worked(count: i64, done: impl Fn(i64) -> bool) -> Tracker {
    let mut tracker = Tracker::resume(Some((0, "")));
    for offset in 0..count {
        assert_eq!(tracker.begin(offset), Begun::New);
    }
    for offset in (0..count).filter(|offset| done(*offset)) {
        tracker.complete(offset);
    }
    tracker
}

/// The offsets below `count` that a restart from `tracker`'s commit works on.
fn repeated(tracker: &mut Tracker, count: i64) -> Vec<i64> {
    tracker.commit_again();
    let commit = tracker.commit().expect("there is something to commit");
    let mut resumed = Tracker::resume(Some((commit.offset, &commit.metadata)));
    (commit.offset..count)
        .filter(|offset| resumed.begin(*offset) != Begun::Known)
        .collect()
}

#[test]
fn the_lowest_incomplete_offset_is_committed() {
    let mut tracker = worked(10, |offset| offset != 3 && offset != 7);
    let commit = tracker.commit().expect("offsets are complete");
    assert_eq!(commit.offset, 3);
    tracker.complete(3);
    assert_eq!(tracker.commit().expect("3 is complete").offset, 7);
    tracker.complete(7);
    let all = tracker.commit().expect("7 is complete");
    assert_eq!((all.offset, all.metadata.as_str()), (10, ""));
    assert_eq!(tracker.commit(), None, "nothing changed since");
}

#[test]
fn one_stuck_record_in_front_of_fifty_thousand_finished_ones_holds_nothing_up() {
    let mut tracker = worked(50_001, |offset| offset != 0);
    assert!(tracker.has_room());
    assert_eq!(repeated(&mut tracker, 50_001), [0]);
}

#[test]
fn twenty_four_thousand_offsets_fit_in_any_pattern() {
    for pattern in [
        (|offset| offset % 2 == 1) as fn(i64) -> bool,
        |offset| offset % 3 != 0,
        |offset| (offset * 7919) % 11 > 4,
    ] {
        let mut tracker = worked(24_000, |offset| offset != 0 && pattern(offset));
        let expected: Vec<i64> = (0..24_000)
            .filter(|offset| *offset == 0 || !pattern(*offset))
            .collect();
        assert_eq!(repeated(&mut tracker, 24_000), expected);
    }
}

#[test]
fn a_lane_stops_before_its_metadata_no_longer_fits_and_never_much_earlier() {
    let mut tracker = Tracker::resume(Some((0, "")));
    let mut offset = 0;
    while tracker.has_room() && offset < 200_000 {
        tracker.begin(offset);
        if offset % 2 == 1 {
            tracker.complete(offset);
        }
        offset += 1;
    }
    assert!((24_000..26_000).contains(&offset), "stopped at {offset}");
    let commit = tracker.commit().expect("offsets are complete");
    assert!(!commit.metadata.is_empty(), "the metadata fits");
    assert!(commit.metadata.len() <= MAX_METADATA_BYTES);
    for stuck in (0..offset).step_by(2) {
        tracker.complete(stuck);
    }
    assert!(tracker.has_room(), "room again once all is complete");
}

#[test]
fn offsets_that_never_come_are_not_waited_for() {
    let mut tracker = Tracker::resume(Some((100, "")));
    assert_eq!(tracker.begin(105), Begun::AfterGap { missed: 5 });
    tracker.complete(105);
    assert_eq!(tracker.commit().expect("105 is complete").offset, 106);
}

#[test]
fn a_partition_without_a_committed_offset_begins_at_its_first_record() {
    let mut tracker = Tracker::resume(None);
    assert_eq!(tracker.commit(), None);
    assert_eq!(tracker.begin(7_000), Begun::New);
    tracker.complete(7_000);
    assert_eq!(tracker.commit().expect("it is complete").offset, 7_001);
}

#[test]
fn a_topic_that_was_made_anew_begins_anew() {
    let mut tracker = Tracker::resume(Some((5_000, "")));
    assert_eq!(tracker.begin(0), Begun::Restarted);
    tracker.complete(0);
    assert_eq!(tracker.commit().expect("0 is complete").offset, 1);
}

#[test]
fn a_foreign_or_damaged_metadata_text_means_deliver_again() {
    for text in ["hello", "1r!!", "2rAAAA", "1x", "ü", "1rgICAgICAgICAgICAAQ"] {
        let mut tracker = Tracker::resume(Some((4, text)));
        assert_eq!(tracker.begin(4), Begun::New, "{text}");
        assert_eq!(tracker.begin(5), Begun::New, "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_decoded_is_what_was_encoded(complete in prop::collection::vec(any::<bool>(), 0..5_000)) {
        let text = encode(complete.iter().copied()).expect("5 000 offsets always fit");
        let mut decoded = decode(&text).expect("our own text can be read");
        let known = complete.iter().rposition(|done| *done).map_or(0, |last| last + 1);
        prop_assert!(decoded.iter().skip(known).all(|done| !done));
        decoded.resize(known, false);
        prop_assert_eq!(&decoded, &complete[..known]);
    }

    #[test]
    fn a_restart_repeats_exactly_what_was_not_complete(
        order in Just((0..300_i64).collect::<Vec<_>>()).prop_shuffle(),
        done in 0..300_usize,
    ) {
        let completed: BTreeSet<i64> = order.into_iter().take(done).collect();
        let mut tracker = worked(300, |offset| completed.contains(&offset));
        let expected: Vec<i64> = (0..300).filter(|offset| !completed.contains(offset)).collect();
        prop_assert_eq!(repeated(&mut tracker, 300), expected);
    }

    #[test]
    fn gaps_and_restarts_never_lose_a_record(
        steps in prop::collection::vec((1..5_i64, any::<bool>()), 1..200),
    ) {
        // Offsets with gaps; some complete. A restart must work on all others.
        let mut tracker = Tracker::resume(Some((0, "")));
        let mut offset = -1;
        let mut open = Vec::new();
        for (step, complete) in steps {
            offset += step;
            tracker.begin(offset);
            if complete {
                tracker.complete(offset);
            } else {
                open.push(offset);
            }
        }
        tracker.commit_again();
        let commit = tracker.commit().expect("it was told to");
        prop_assert!(open.iter().all(|open| *open >= commit.offset));
        let mut resumed = Tracker::resume(Some((commit.offset, &commit.metadata)));
        for open in open {
            prop_assert_ne!(resumed.begin(open), Begun::Known);
        }
    }
}
