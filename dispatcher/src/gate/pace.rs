//! How an endpoint answers: how many a second, and since when not at all.

use std::time::{Duration, Instant};

/// One slice of the window that the pace is counted over.
const SLICE: Duration = Duration::from_millis(10);
const SLICES: usize = 10;
/// The window: 100 ms.
const WINDOW: Duration = Duration::from_millis(100);

/// Counts answers over the last 100 ms, and remembers silence.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When the first attempt ever began.
    first: Option<Instant>,
    /// Answers a slice; the slice at `index % SLICES` is the current one.
    slices: [u32; SLICES],
    index: u64,
    /// Since when something is under way without an answer.
    waiting_since: Option<Instant>,
}

impl Pace {
    /// An attempt begins.
    pub(crate) fn begun(&mut self, now: Instant) {
        self.first.get_or_insert(now);
        self.waiting_since.get_or_insert(now);
    }

    /// An attempt ended; `answered` with any status. `others` are under way.
    pub(crate) fn ended(&mut self, now: Instant, answered: bool, others: bool) {
        if answered {
            self.turn(now);
            self.slices[Self::slot(self.index)] += 1;
            self.waiting_since = others.then_some(now);
        }
    }

    /// How long it is silent; zero when nothing waits for it.
    pub(crate) fn silent_for(&self, now: Instant) -> Duration {
        self.waiting_since
            .map_or(Duration::ZERO, |since| now.duration_since(since))
    }

    /// Answers a second over the last 100 ms; `None` while its first attempt
    /// ever is younger than that. Nothing is expected of one never tried.
    pub(crate) fn per_second(&mut self, now: Instant) -> Option<u32> {
        let Some(first) = self.first else {
            return Some(0);
        };
        if now.duration_since(first) < WINDOW {
            return None;
        }
        self.turn(now);
        Some(self.slices.iter().sum::<u32>() * 10)
    }

    /// Empties the slices that time has passed over.
    fn turn(&mut self, now: Instant) {
        let Some(first) = self.first else { return };
        let slice = SLICE.as_millis();
        let current = now.duration_since(first).as_millis() / slice;
        let current = u64::try_from(current).unwrap_or(u64::MAX);
        let passed = current.saturating_sub(self.index).min(SLICES as u64);
        for n in 0..passed {
            self.slices[Self::slot(current - n)] = 0;
        }
        self.index = self.index.max(current);
    }

    fn slot(index: u64) -> usize {
        usize::try_from(index % SLICES as u64).unwrap_or(0)
    }
}
