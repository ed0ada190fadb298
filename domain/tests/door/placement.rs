//! The table "where a delivery goes that may be sent now" of the design, row by
//! row, and which row comes first.

use std::time::Duration;

use domain::{
    DeadLetterReason, DeferReason, EXPIRES_AFTER, EndpointState, Gate, Place, Schedule, Timestamp,
    Waiting, place,
};
use proptest::{prelude::*, sample::select};

const SECOND: Duration = Duration::from_secs(1);
const EXPIRED: Place = Place::DeadLetter(DeadLetterReason::Expired);

fn schedule() -> Schedule {
    Schedule::parse(&["15s", "2m", "10m", "1h", "6h"]).unwrap()
}

fn defer(tier: &str, reason: DeferReason) -> Place {
    let tier = tier.parse().unwrap();
    Place::Defer { tier, reason }
}

/// An endpoint that answers, but slower than it gets work: nothing fits.
fn full() -> Gate {
    Gate {
        state: EndpointState::Enabled,
        room: false,
        queue_room: false,
        pace: Some(50),
        share: None,
        silent_for: Duration::ZERO,
        closed_for: Duration::ZERO,
    }
}

const FRESH: Waiting = Waiting {
    first_at: Timestamp::from_millis(1_000_000_000),
    deferrals: 0,
    paced: false,
};

fn placed(gate: Gate, waiting: Waiting) -> Place {
    placed_after(Duration::ZERO, gate, waiting)
}

fn placed_after(age: Duration, gate: Gate, waiting: Waiting) -> Place {
    place(&gate, waiting, waiting.first_at + age, &schedule())
}

#[test]
fn row_room_in_flight_sends() {
    let gate = Gate {
        room: true,
        ..full()
    };
    assert_eq!(placed(gate, FRESH), Place::Send);
}

#[test]
fn row_room_in_the_short_queue_queues() {
    let gate = Gate {
        queue_room: true,
        ..full()
    };
    assert_eq!(placed(gate, FRESH), Place::Queue);
}

#[test]
fn row_queue_full_but_fast_waits_because_the_dispatcher_is_the_limit() {
    for (pace, expected) in [
        (10_000, Place::Wait),
        (250_000, Place::Wait),
        (9_999, Place::Ready),
    ] {
        let gate = Gate {
            pace: Some(pace),
            ..full()
        };
        assert_eq!(placed(gate, FRESH), expected, "{pace}/s");
    }
}

#[test]
fn where_the_dispatcher_has_no_time_left_an_equal_share_is_fast() {
    for (share, pace, silent_ms, expected) in [
        (4_000, 2_000, 0, Place::Wait),
        (4_000, 1_999, 0, Place::Ready),
        // The time of 200 answers.
        (4_000, 2_000, 99, Place::Wait),
        (4_000, 2_000, 100, Place::Ready),
        // However many there are, and however few.
        (100, 200, 0, Place::Wait),
        (100, 199, 0, Place::Ready),
        (70_000, 10_000, 0, Place::Wait),
        (70_000, 9_999, 0, Place::Ready),
    ] {
        let gate = Gate {
            share: Some(share),
            pace: Some(pace),
            silent_for: Duration::from_millis(silent_ms),
            ..full()
        };
        assert_eq!(placed(gate, FRESH), expected, "{pace}/s of {share}/s");
    }
}

#[test]
fn no_lane_waits_for_an_endpoint_that_is_silent() {
    for (silent_ms, expected) in [(19, Place::Wait), (20, Place::Ready)] {
        for pace in [Some(250_000), None] {
            let gate = Gate {
                pace,
                silent_for: Duration::from_millis(silent_ms),
                ..full()
            };
            assert_eq!(placed(gate, FRESH), expected, "{silent_ms} ms, {pace:?}");
        }
    }
}

#[test]
fn an_endpoint_whose_first_attempt_is_just_on_its_way_is_given_the_benefit_of_the_doubt() {
    let gate = Gate {
        pace: None,
        ..full()
    };
    assert_eq!(placed(gate, FRESH), Place::Wait);
}

#[test]
fn row_answered_lately_or_closed_for_a_short_time_goes_to_ready() {
    let seconds = Duration::from_secs;
    for (silent_for, closed_for) in [
        (seconds(0), seconds(0)),
        (seconds(30), seconds(0)),
        (seconds(0), seconds(30)),
        (seconds(30), seconds(30)),
    ] {
        let gate = Gate {
            silent_for,
            closed_for,
            ..full()
        };
        assert_eq!(placed(gate, FRESH), Place::Ready, "{gate:?}");
    }
}

#[test]
fn row_unresponsive_closed_for_long_or_paused_is_deferred() {
    let just_over = 30 * SECOND + Duration::from_millis(1);
    let unresponsive = Gate {
        silent_for: just_over,
        ..full()
    };
    let closed = Gate {
        closed_for: just_over,
        ..full()
    };
    let paused = Gate {
        state: EndpointState::Paused,
        ..full()
    };
    for (gate, reason) in [
        (unresponsive, DeferReason::Unresponsive),
        (closed, DeferReason::Closed),
        (paused, DeferReason::Paused),
    ] {
        for (deferrals, tier) in [(0, "15s"), (1, "2m"), (2, "10m"), (3, "10m"), (99, "10m")] {
            let waiting = Waiting { deferrals, ..FRESH };
            assert_eq!(placed(gate, waiting), defer(tier, reason), "{gate:?}");
        }
    }
}

#[test]
fn row_older_than_three_days_expires_where_it_would_be_put_off_again() {
    assert_eq!(EXPIRES_AFTER, Duration::from_secs(3 * 24 * 3600));
    let put_off = [
        full(),
        Gate {
            silent_for: 31 * SECOND,
            ..full()
        },
        Gate {
            state: EndpointState::Paused,
            ..full()
        },
    ];
    for gate in put_off {
        let older = EXPIRES_AFTER + Duration::from_millis(1);
        assert_eq!(placed_after(older, gate, FRESH), EXPIRED, "{gate:?}");
        assert_ne!(placed_after(EXPIRES_AFTER, gate, FRESH), EXPIRED);
    }
    let sent = Gate {
        room: true,
        ..full()
    };
    assert_eq!(
        placed_after(2 * EXPIRES_AFTER, sent, FRESH),
        Place::Send,
        "what can go out goes out, however old"
    );
}

#[test]
fn a_disabled_endpoint_gets_nothing_whatever_room_it_has() {
    let gate = Gate {
        state: EndpointState::Disabled,
        room: true,
        queue_room: true,
        ..full()
    };
    let disabled = Place::DeadLetter(DeadLetterReason::EndpointDisabled);
    assert_eq!(placed(gate, FRESH), disabled);
    assert_eq!(placed_after(2 * EXPIRES_AFTER, gate, FRESH), disabled);
}

#[test]
fn a_paused_endpoint_gets_nothing_whatever_room_it_has() {
    let gate = Gate {
        state: EndpointState::Paused,
        room: true,
        queue_room: true,
        ..full()
    };
    assert_eq!(placed(gate, FRESH), defer("15s", DeferReason::Paused));
}

#[test]
fn what_cannot_move_soon_does_not_stand_in_the_short_queue() {
    for (silent_for, closed_for, expected) in [
        (SECOND, Duration::ZERO, Place::Ready),
        (
            31 * SECOND,
            Duration::ZERO,
            defer("15s", DeferReason::Unresponsive),
        ),
        (
            Duration::ZERO,
            31 * SECOND,
            defer("15s", DeferReason::Closed),
        ),
    ] {
        let gate = Gate {
            queue_room: true,
            silent_for,
            closed_for,
            ..full()
        };
        assert_eq!(placed(gate, FRESH), expected, "{gate:?}");
    }
}

#[test]
fn a_paced_lane_keeps_what_has_no_room_in_its_look_ahead() {
    let paced = Waiting {
        paced: true,
        ..FRESH
    };
    assert_eq!(placed(full(), paced), Place::Wait);
    let with_queue_room = Gate {
        queue_room: true,
        ..full()
    };
    assert_eq!(placed(with_queue_room, paced), Place::Wait);
    let unresponsive = Gate {
        silent_for: 31 * SECOND,
        ..full()
    };
    assert_eq!(
        placed(unresponsive, paced),
        defer("15s", DeferReason::Unresponsive)
    );
    assert_eq!(placed_after(2 * EXPIRES_AFTER, full(), paced), EXPIRED);
}

fn gate() -> impl Strategy<Value = Gate> {
    let state = select(vec![
        EndpointState::Enabled,
        EndpointState::Paused,
        EndpointState::Disabled,
    ]);
    let seconds = || (0_u64..60).prop_map(Duration::from_secs);
    (
        state,
        any::<bool>(),
        any::<bool>(),
        prop::option::of(0_u32..20_000),
        prop::option::of(0_u32..100_000),
        seconds(),
        seconds(),
    )
        .prop_map(
            |(state, room, queue_room, pace, share, silent_for, closed_for)| Gate {
                state,
                room,
                queue_room,
                pace,
                share,
                silent_for,
                closed_for,
            },
        )
}

proptest! {
    #[test]
    fn only_an_enabled_endpoint_with_room_is_sent_to(
        gate in gate(),
        deferrals in 0_u32..10,
        paced in any::<bool>(),
        hours in 0_u64..100,
    ) {
        let waiting = Waiting { deferrals, paced, ..FRESH };
        let place = placed_after(Duration::from_secs(hours * 3600), gate, waiting);
        let may_be_sent = gate.state == EndpointState::Enabled && gate.room;
        prop_assert_eq!(place == Place::Send, may_be_sent);
        // A lane that waits holds others up: never for one that does not move.
        if place == Place::Wait || place == Place::Queue {
            prop_assert!(gate.silent_for <= 30 * SECOND && gate.closed_for <= 30 * SECOND);
        }
        if place == EXPIRED {
            prop_assert!(hours >= 72);
        }
    }
}
