//! A histogram of how long attempts took.

/// How long attempts took, in slots whose width is an eighth of their lower
/// bound at most: percentiles are off by less than 7 %.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Times {
    /// Slots in their order, each with its count, never 0.
    slots: Vec<(u8, u32)>,
}

/// Slots between two powers of two, as a power of two itself.
const SLOT_BITS: u32 = 3;
const SLOTS: u32 = 1 << SLOT_BITS;

/// Up to 7 each millisecond has a slot; from there on each power of two has
/// eight. The longest time has slot 239.
fn slot(millis: u32) -> u8 {
    let octave = millis.max(1).ilog2();
    let slot = match octave.checked_sub(SLOT_BITS) {
        None => millis,
        Some(shift) => SLOTS + shift * SLOTS + ((millis >> shift) & (SLOTS - 1)),
    };
    u8::try_from(slot).unwrap_or(u8::MAX)
}

/// The shortest time of a slot, and how many milliseconds it spans.
fn bounds(slot: u8) -> (u64, u64) {
    let slot = u64::from(slot);
    let slots = u64::from(SLOTS);
    match slot.checked_sub(slots) {
        None => (slot, 1),
        Some(above) => {
            let width = 1 << (above / slots);
            ((slots + above % slots) * width, width)
        }
    }
}

impl Times {
    pub(super) fn add(&mut self, millis: u32) {
        self.add_to(slot(millis), 1);
    }

    fn add_to(&mut self, slot: u8, count: u32) {
        match self.slots.binary_search_by_key(&slot, |(slot, _)| *slot) {
            Ok(found) => {
                let count = self.slots[found].1.saturating_add(count);
                self.slots[found].1 = count;
            }
            Err(place) => self.slots.insert(place, (slot, count)),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (slot, count) in &other.slots {
            self.add_to(*slot, *count);
        }
    }

    /// The time that `part` (0 to 1) of the attempts did not exceed, in
    /// milliseconds; `None` without attempts.
    #[must_use]
    pub fn percentile(&self, part: f64) -> Option<u32> {
        let total: u64 = self.slots.iter().map(|(_, count)| u64::from(*count)).sum();
        let rank = rank(part, total);
        let mut before = 0;
        for (slot, count) in &self.slots {
            let count = u64::from(*count);
            if before + count >= rank {
                let (low, width) = bounds(*slot);
                return u32::try_from(low + width / 2).ok();
            }
            before += count;
        }
        None
    }

    /// For a row: a byte for each slot, and its count in groups of seven bits,
    /// the lowest first.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.slots.len() * 3);
        for (slot, count) in &self.slots {
            bytes.push(*slot);
            let mut rest = *count;
            while rest >= 0x80 {
                bytes.push((rest & 0x7f) as u8 | 0x80);
                rest >>= 7;
            }
            bytes.push((rest & 0x7f) as u8);
        }
        bytes
    }

    /// Adds what [`Self::to_bytes`] wrote; a rest that cannot be read is left
    /// out.
    pub(super) fn add_bytes(&mut self, mut bytes: &[u8]) {
        while let [slot, rest @ ..] = bytes {
            let length = 1 + rest.iter().take_while(|byte| **byte >= 0x80).count();
            let Some((digits, rest)) = rest.split_at_checked(length) else {
                return;
            };
            let count = digits.iter().rev().fold(0_u32, |count, byte| {
                count.wrapping_shl(7) | u32::from(byte & 0x7f)
            });
            self.add_to(*slot, count);
            bytes = rest;
        }
    }
}

/// Which of `total` attempts in their order is meant, the first is 1.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of less than 2^53 attempts, held within 1 and total"
)]
fn rank(part: f64, total: u64) -> u64 {
    ((part * total as f64).ceil() as u64).clamp(1, total.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(millis: &[u32]) -> Times {
        let mut times = Times::default();
        for millis in millis {
            times.add(*millis);
        }
        times
    }

    #[test]
    fn every_time_lies_in_its_slot_and_slots_are_narrow() {
        let mut millis = 0_u32;
        loop {
            let (low, width) = bounds(slot(millis));
            let time = u64::from(millis);
            assert!(low <= time && time < low + width, "{millis}: {low} {width}");
            assert!(width == 1 || width * 8 <= low, "{millis}: {low} {width}");
            match millis.checked_add(1 + millis / 50) {
                Some(next) => millis = next,
                None => break,
            }
        }
        assert_eq!(slot(u32::MAX), 239);
    }

    #[test]
    fn percentiles_are_close() {
        let all: Vec<u32> = (1..=5_000).collect();
        let found = times(&all);
        for (part, exact) in [
            (0.01, 50.0),
            (0.5, 2_500.0),
            (0.95, 4_750.0),
            (1.0, 5_000.0),
        ] {
            let close = f64::from(found.percentile(part).unwrap());
            assert!(
                (close / exact - 1.0).abs() < 0.07,
                "{part}: {close}, not {exact}"
            );
        }
        assert_eq!(times(&[]).percentile(0.5), None);
        assert_eq!(times(&[0]).percentile(0.5), Some(0));
        assert_eq!(times(&[3, 3, 3]).percentile(0.95), Some(3));
    }

    #[test]
    fn a_row_holds_what_was_counted() {
        let mut counted = times(&[1, 70, 70, 5_000, u32::MAX]);
        counted.add_to(200, 3_000_000);
        let mut read = Times::default();
        read.add_bytes(&counted.to_bytes());
        assert_eq!(read, counted);
        read.add_bytes(&counted.to_bytes());
        assert_eq!(
            read.slots.iter().find(|(slot, _)| *slot == 200),
            Some(&(200, 6_000_000))
        );
    }

    #[test]
    fn a_broken_row_is_left_out_without_harm() {
        let mut read = Times::default();
        read.add_bytes(&[7, 2, 9, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 8, 0x80]);
        assert_eq!(read.slots.first(), Some(&(7, 2)));
    }
}
