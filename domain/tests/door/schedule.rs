//! Tiers and the schedule.

use std::time::Duration;

use domain::{NotASchedule, Schedule, Tier};
use proptest::prelude::*;

fn tier(text: &str) -> Tier {
    text.parse().unwrap()
}

fn page() -> Schedule {
    Schedule::parse(&["15s", "2m", "10m", "1h", "6h"]).unwrap()
}

fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

#[test]
fn the_pages_schedule_is_one_attempt_at_once_and_five_retries() {
    let schedule = page();
    assert_eq!(schedule.attempts(), 6);
    let delays: Vec<u64> = (1..=6)
        .map_while(|attempt| schedule.after_attempt(attempt, None))
        .map(|tier| tier.delay().as_secs())
        .collect();
    assert_eq!(delays, [15, 120, 600, 3_600, 21_600]);
    assert_eq!(schedule.after_attempt(6, None), None);
    assert_eq!(schedule.after_attempt(0, None), None, "no such attempt");
    assert_eq!(schedule.after_attempt(u32::MAX, None), None);
}

#[test]
fn retry_after_is_rounded_up_to_a_tier_and_never_shortens_the_schedule() {
    let schedule = page();
    for (attempt, retry_after, expected) in [
        (1, seconds(0), "15s"),
        (1, seconds(1), "15s"),
        (1, seconds(15), "15s"),
        (1, Some(Duration::from_millis(15_001)), "2m"),
        (1, seconds(120), "2m"),
        (1, seconds(121), "10m"),
        (1, seconds(3_600), "1h"),
        (1, seconds(3_601), "6h"),
        (1, seconds(1_000_000), "6h"),
        (4, seconds(15), "1h"),
        (5, seconds(1_000_000), "6h"),
    ] {
        assert_eq!(
            schedule.after_attempt(attempt, retry_after),
            Some(tier(expected)),
            "attempt {attempt}, Retry-After {retry_after:?}"
        );
    }
    assert_eq!(
        schedule.after_attempt(6, seconds(15)),
        None,
        "no retry is won"
    );
}

#[test]
fn deferrals_climb_the_tiers_up_to_ten_minutes() {
    let schedule = page();
    for (deferrals, expected) in [
        (0, "15s"),
        (1, "2m"),
        (2, "10m"),
        (3, "10m"),
        (u32::MAX, "10m"),
    ] {
        assert_eq!(schedule.for_deferral(deferrals), tier(expected));
    }
    let short = Schedule::parse(&["1s", "2s"]).unwrap();
    assert_eq!(short.for_deferral(7), tier("2s"));
    let long = Schedule::parse(&["1h", "6h"]).unwrap();
    assert_eq!(long.for_deferral(0), tier("1h"), "none is short enough");
    assert_eq!(long.for_deferral(5), tier("1h"));
}

#[test]
fn equal_delays_share_a_tier() {
    let schedule = Schedule::parse(&["1s", "1s", "1000ms", "2s"]).unwrap();
    assert_eq!(schedule.attempts(), 5);
    assert_eq!(schedule.tiers(), [tier("1s"), tier("2s")]);
    assert_eq!(schedule.after_attempt(3, None), Some(tier("1s")));
}

#[test]
fn a_tier_is_written_in_its_largest_whole_unit() {
    for (read, written) in [
        ("15s", "15s"),
        ("60s", "1m"),
        ("90s", "90s"),
        ("120m", "2h"),
        ("24h", "24h"),
        ("1500ms", "1500ms"),
        ("1ms", "1ms"),
    ] {
        assert_eq!(tier(read).to_string(), written);
    }
}

#[test]
fn what_is_no_tier_is_refused_with_what_is_allowed() {
    for wrong in [
        "",
        "15",
        "s",
        "0s",
        "-1s",
        "1.5s",
        "15 s",
        "1d",
        "25h",
        "99999999999999999999h",
        "15S",
    ] {
        let error = wrong.parse::<Tier>().unwrap_err().to_string();
        assert!(error.contains("from 1ms to 24h"), "{error}");
    }
    assert!(Tier::try_from(Duration::ZERO).is_err());
    assert_eq!(Tier::try_from(Duration::from_secs(15)), Ok(tier("15s")));
}

#[test]
fn what_is_no_schedule_is_refused_with_the_reason() {
    let none: [&str; 0] = [];
    assert_eq!(Schedule::parse(&none), Err(NotASchedule::Length(0)));
    assert_eq!(Schedule::parse(&["1s"; 17]), Err(NotASchedule::Length(17)));
    assert_eq!(Schedule::parse(&["1s"; 16]).unwrap().attempts(), 17);
    assert_eq!(
        Schedule::parse(&["2m", "15s"]),
        Err(NotASchedule::Shrinks(tier("2m"), tier("15s")))
    );
    let error = Schedule::parse(&["15s", "soon"]).unwrap_err().to_string();
    assert!(error.contains("\"soon\""), "{error}");
}

proptest! {
    #[test]
    fn a_tier_is_the_same_after_writing_and_reading(millis in 1_u64..=86_400_000) {
        let tier = Tier::try_from(Duration::from_millis(millis)).unwrap();
        prop_assert_eq!(tier.millis(), millis);
        prop_assert_eq!(tier.to_string().parse(), Ok(tier));
    }

    #[test]
    fn a_retry_waits_at_least_what_was_asked_for_up_to_the_longest_tier(
        attempt in 1_u32..=5,
        wanted in 0_u64..100_000,
    ) {
        let schedule = page();
        let tier = schedule.after_attempt(attempt, seconds(wanted)).unwrap();
        let longest = Duration::from_secs(6 * 3600);
        prop_assert!(tier.delay() >= Duration::from_secs(wanted).min(longest));
        prop_assert!(Some(tier) >= schedule.after_attempt(attempt, None));
        prop_assert!(schedule.tiers().contains(&tier));
    }
}
