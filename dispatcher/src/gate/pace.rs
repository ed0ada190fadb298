//! How an endpoint answers: how many a second it can, and since when not at all.

use std::time::{Duration, Instant};

/// One slice of the window that the pace is counted over.
const SLICE: Duration = Duration::from_millis(10);
const SLICES: usize = 10;
/// The window: 100 ms.
const WINDOW: Duration = Duration::from_millis(100);
/// Whoever can answer so many a second keeps up with what comes.
const KEEPS_UP: u32 = 1_000;
/// How much the newest attempt counts in the usual time: an eighth.
const NEWEST: u32 = 8;

/// What ended within a slice.
#[derive(Debug, Default, Clone, Copy)]
struct Slice {
    answers: u32,
    /// How long all attempts took together, also those without an answer.
    took: Duration,
}

/// Counts answers over the last 100 ms, and remembers silence.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When the first attempt ever began.
    first: Option<Instant>,
    /// The slice at `index % SLICES` is the current one.
    slices: [Slice; SLICES],
    index: u64,
    /// How long an attempt usually takes.
    usual: Option<Duration>,
    /// Since when something is under way without an answer.
    waiting_since: Option<Instant>,
}

impl Pace {
    /// An attempt begins.
    pub(crate) fn begun(&mut self, now: Instant) {
        self.first.get_or_insert(now);
        self.waiting_since.get_or_insert(now);
    }

    /// An attempt that `began` then has ended; `answered` with any status.
    /// `others` are under way.
    pub(crate) fn ended(&mut self, began: Instant, now: Instant, answered: bool, others: bool) {
        self.turn(now);
        let took = now.duration_since(began);
        self.usual = Some(
            self.usual
                .map_or(took, |usual| (usual * (NEWEST - 1) + took) / NEWEST),
        );
        let slice = &mut self.slices[Self::slot(self.index)];
        slice.took += took;
        if answered {
            slice.answers += 1;
            self.waiting_since = others.then_some(now);
        }
    }

    /// How long it is silent; zero when nothing waits for it.
    pub(crate) fn silent_for(&self, now: Instant) -> Duration {
        self.waiting_since
            .map_or(Duration::ZERO, |since| now.duration_since(since))
    }

    /// Answers a second that it can give: as many as over the last 100 ms, or as
    /// many as `slots` at once would, at the time that an attempt took then.
    /// `None` while its first attempt ever is younger than that. Nothing is
    /// expected of one never tried.
    pub(crate) fn per_second(&mut self, now: Instant, slots: usize) -> Option<u32> {
        let Some(first) = self.first else {
            return Some(0);
        };
        if now.duration_since(first) < WINDOW {
            return None;
        }
        self.turn(now);
        let answers: u32 = self.slices.iter().map(|slice| slice.answers).sum();
        let took: Duration = self.slices.iter().map(|slice| slice.took).sum();
        let with_all_slots =
            u128::from(answers) * slots as u128 * 1_000_000_000 / took.as_nanos().max(1);
        Some(
            u32::try_from(with_all_slots)
                .unwrap_or(u32::MAX)
                .max(answers * 10),
        )
    }

    /// Whether it usually answers [`KEEPS_UP`] a second with `slots` at once, and
    /// is not silent now. True of one that was never tried.
    pub(crate) fn keeps_up(&self, now: Instant, slots: usize) -> bool {
        let slots = u32::try_from(slots).unwrap_or(u32::MAX);
        self.silent_for(now) < WINDOW
            && self.usual.is_none_or(|usual| {
                usual.saturating_mul(KEEPS_UP) <= slots * Duration::from_secs(1)
            })
    }

    /// Empties the slices that time has passed over.
    fn turn(&mut self, now: Instant) {
        let Some(first) = self.first else { return };
        let slice = SLICE.as_millis();
        let current = now.duration_since(first).as_millis() / slice;
        let current = u64::try_from(current).unwrap_or(u64::MAX);
        let passed = current.saturating_sub(self.index).min(SLICES as u64);
        for n in 0..passed {
            self.slices[Self::slot(current - n)] = Slice::default();
        }
        self.index = self.index.max(current);
    }

    fn slot(index: u64) -> usize {
        usize::try_from(index % SLICES as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pace after so many attempts in the last 100 ms, which took so long
    /// each; `unanswered` of them had no answer.
    fn after(attempts: u32, took: Duration, unanswered: u32, slots: usize) -> Option<u32> {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.begun(start);
        let now = start + WINDOW + took;
        for attempt in 0..attempts {
            pace.ended(now - took, now, attempt >= unanswered, false);
        }
        pace.per_second(now, slots)
    }

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_quick_endpoint_that_is_offered_little_can_take_a_burst() {
        assert_eq!(after(10, MS, 0, 64), Some(64_000));
    }

    #[test]
    fn a_slow_one_can_take_what_its_slots_hold() {
        assert_eq!(after(64, 500 * MS, 0, 64), Some(640));
        assert_eq!(after(6, 500 * MS, 0, 64), Some(128));
    }

    #[test]
    fn attempts_without_an_answer_count_with_their_time() {
        assert_eq!(after(2, 500 * MS, 1, 64), Some(64));
        assert_eq!(after(2, 500 * MS, 2, 64), Some(0));
    }

    #[test]
    fn whoever_is_slow_or_silent_does_not_keep_up() {
        let start = Instant::now();
        let mut pace = Pace::default();
        assert!(pace.keeps_up(start, 1));
        pace.begun(start);
        assert!(pace.keeps_up(start + 99 * MS, 1));
        assert!(!pace.keeps_up(start + WINDOW, 64));
        let now = start + 500 * MS;
        pace.ended(start, now, true, false);
        assert!(!pace.keeps_up(now, 64));
        for _ in 0..30 {
            pace.ended(now, now + 20 * MS, true, false);
        }
        assert!(pace.keeps_up(now + 20 * MS, 64));
        assert!(!pace.keeps_up(now + 20 * MS, 10));
    }

    #[test]
    fn what_is_older_than_the_window_does_not_count() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.begun(start);
        pace.ended(start, start + MS, true, false);
        assert_eq!(pace.per_second(start + MS, 64), None);
        assert_eq!(pace.per_second(start + WINDOW + 2 * MS, 64), Some(0));
    }
}
