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

/// Answers a second.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PerSecond {
    /// As many as over the last 100 ms.
    pub(crate) gave: u32,
    /// As many as all slots at once would, at the time that an attempt took then.
    pub(crate) could: u32,
}

impl PerSecond {
    /// What counts of it after one more slice.
    fn fade(&mut self) {
        self.gave -= self.gave / 10;
        self.could -= self.could / 100;
    }
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
    /// See [`Self::lately`].
    lately: PerSecond,
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

    /// Answers a second. `None` while its first attempt ever is younger than the
    /// window. Nothing is expected of one never tried.
    pub(crate) fn per_second(&mut self, now: Instant, slots: usize) -> Option<PerSecond> {
        let Some(first) = self.first else {
            return Some(PerSecond::default());
        };
        self.turn(now);
        let answers: u32 = self.slices.iter().map(|slice| slice.answers).sum();
        let took: Duration = self.slices.iter().map(|slice| slice.took).sum();
        let with_all_slots =
            u128::from(answers) * slots as u128 * 1_000_000_000 / took.as_nanos().max(1);
        let gave = answers * 10;
        let could = u32::try_from(with_all_slots).unwrap_or(u32::MAX).max(gave);
        self.lately.gave = self.lately.gave.max(gave);
        self.lately.could = self.lately.could.max(could);
        (now.duration_since(first) >= WINDOW).then_some(PerSecond { gave, could })
    }

    /// The most that [`Self::per_second`] found lately. What it gave fades to a third in
    /// 100 ms, what it could in a second: a standstill of some ten milliseconds, of the
    /// endpoint or of anything on the way to it, changes little.
    pub(crate) fn lately(&self) -> PerSecond {
        self.lately
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
            self.lately.fade();
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
        pace.per_second(now, slots).map(|pace| pace.could)
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
        let later = pace.per_second(start + WINDOW + 2 * MS, 64);
        assert_eq!(later, Some(PerSecond::default()));
    }

    #[test]
    fn what_it_could_outlasts_a_standstill_and_what_it_gave_does_not() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.begun(start);
        let quick = start + WINDOW;
        for _ in 0..1_000 {
            pace.ended(quick - MS, quick, true, true);
        }
        let (gave, could) = (10_000, 64_000);
        assert_eq!(pace.per_second(quick, 64), Some(PerSecond { gave, could }));
        let still = quick + 2 * WINDOW;
        assert_eq!(pace.per_second(still, 64), Some(PerSecond::default()));
        let lately = pace.lately();
        assert!((3_000..4_000).contains(&lately.gave), "{lately:?}");
        assert!((57_000..59_000).contains(&lately.could), "{lately:?}");
    }
}
