//! Moments.

use std::time::Duration;

use domain::Timestamp;
use proptest::prelude::*;

use crate::generated;

#[test]
fn a_moment_is_written_in_utc_with_as_many_digits_as_it_needs() {
    for (read, written) in [
        ("2024-06-15T14:32:00Z", "2024-06-15T14:32:00Z"),
        ("2024-06-15T16:32:00+02:00", "2024-06-15T14:32:00Z"),
        ("2024-06-15t14:32:00.5z", "2024-06-15T14:32:00.5Z"),
        ("2024-06-15T14:32:00.123987Z", "2024-06-15T14:32:00.123Z"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
    ] {
        assert_eq!(read.parse::<Timestamp>().unwrap().to_string(), written);
    }
}

#[test]
fn what_is_no_rfc_3339_moment_is_refused_with_an_example() {
    for wrong in [
        "",
        "yesterday",
        "2024-06-15",
        "2024-06-15T14:32Z",
        "2024-06-15T14:32:00",
        "20240615T143200Z",
        "2024-06-15T14:32:00+0200",
        "2024-06-15T14:32:00+02",
        "2024-06-15T16:32:00+02:00[Europe/Berlin]",
        "2024-13-01T00:00:00Z",
        "2024-02-30T00:00:00Z",
        "-000001-01-01T00:00:00Z",
        "2024-06-15T14:32:00,5Z",
        "2024-06-15T14:32:00.Z",
        "1718461920",
        "2024-06-15T14:32:0ü",
    ] {
        let error = wrong.parse::<Timestamp>().unwrap_err().to_string();
        assert!(error.contains("2024-06-15T14:32:00Z"), "{error}");
    }
}

#[test]
fn moments_beyond_the_calendar_are_held_at_its_ends() {
    for millis in [i64::MIN, i64::MAX, 253_402_300_799_999] {
        let moment = Timestamp::from_millis(millis);
        assert_eq!(moment.to_string().parse::<Timestamp>(), Ok(moment));
    }
    let end = Timestamp::from_millis(i64::MAX);
    assert_eq!(end + Duration::MAX, end);
}

#[test]
fn now_rounded_up_is_never_before_now() {
    let before = Timestamp::now();
    assert!(Timestamp::now_rounded_up() > before);
}

proptest! {
    #[test]
    fn a_moment_is_the_same_after_writing_and_reading(moment in generated::timestamp()) {
        prop_assert_eq!(moment.to_string().parse(), Ok(moment));
        let json = serde_json::to_string(&moment).unwrap();
        prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), moment);
    }

    #[test]
    fn moments_of_this_era_keep_their_millisecond(millis in 0_i64..4_102_444_800_000) {
        let moment = Timestamp::from_millis(millis);
        prop_assert_eq!(moment.millis(), millis);
        prop_assert_eq!(moment.to_string().parse(), Ok(moment));
    }

    #[test]
    fn later_by_a_duration_is_since_by_the_same(
        millis in 0_i64..4_102_444_800_000,
        later in 0_u64..1_000_000_000,
    ) {
        let (start, later) = (Timestamp::from_millis(millis), Duration::from_millis(later));
        prop_assert_eq!((start + later).since(start), later);
        prop_assert_eq!(start.since(start + later), Duration::ZERO);
    }
}
