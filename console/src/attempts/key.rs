//! Rows of deliveries and attempts are numbered by time: new ones stand at the
//! end of their table, the oldest at its beginning, and a list with the newest
//! first needs no index of its own.

use domain::{DeliveryId, Timestamp};

/// The lower part of a number tells rows of the same millisecond apart.
const LOW_BITS: u32 = 21;
const LOW: i64 = (1 << LOW_BITS) - 1;
/// Until the year 2109.
const LAST_MILLIS: i64 = (1 << (63 - LOW_BITS)) - 1;

/// The first number of a moment.
pub(super) fn first_at(at: Timestamp) -> i64 {
    at.millis().clamp(0, LAST_MILLIS) << LOW_BITS
}

/// The moment of a row.
pub(super) fn at(key: i64) -> Timestamp {
    Timestamp::from_millis(key >> LOW_BITS)
}

/// The number of a delivery whose first record is of `at`: the same on every
/// replica, and after a rebuild, so that pages go on there.
pub(super) fn of_delivery(at: Timestamp, id: DeliveryId) -> i64 {
    let last = |bytes: [u8; 16]| {
        let (eights, _) = bytes.as_chunks();
        eights.last().map_or(0, |last| i64::from_be_bytes(*last))
    };
    let mixed = last(id.event.to_bytes()) ^ last(id.endpoint.to_bytes());
    first_at(at) | (mixed & LOW)
}

/// The number of a record that is the `taken`-th one: within a millisecond
/// in the order of the topic.
pub(super) fn of_record(at: Timestamp, taken: i64) -> i64 {
    first_at(at) | (taken & LOW)
}

/// The number to try when one is in use.
pub(super) const fn next(key: i64) -> i64 {
    (key & !LOW) | ((key + 1) & LOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_the_order_of_time() {
        let early = Timestamp::from_millis(1_700_000_000_000);
        let late = Timestamp::from_millis(1_700_000_000_001);
        assert!(of_record(early, i64::MAX) < of_record(late, 0));
        assert_eq!(at(of_record(late, 7)), late);
        assert_eq!(at(of_record(Timestamp::from_millis(-5), 1)).millis(), 0);
    }

    #[test]
    fn the_next_number_is_of_the_same_moment() {
        let moment = Timestamp::from_millis(1_700_000_000_000);
        let last = of_record(moment, LOW);
        assert_eq!(next(last), first_at(moment));
        assert_eq!(next(first_at(moment)), first_at(moment) + 1);
    }
}
