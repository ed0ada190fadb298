//! An endpoint's in-flight limit, and its rate limit.

use std::time::{Duration, Instant};

use domain::LimitChange;

/// How many attempts may be under way at one endpoint at once. It rises by one
/// after a success until it is first halved, from then on by one after as many
/// successes as it is.
#[derive(Debug)]
pub(crate) struct InFlightLimit {
    limit: usize,
    max: usize,
    successes: usize,
    halved_at: Option<Instant>,
}

impl InFlightLimit {
    pub(crate) fn new(start: usize, max: usize) -> Self {
        Self {
            limit: start.min(max).max(1),
            max: max.max(1),
            successes: 0,
            halved_at: None,
        }
    }

    pub(crate) fn get(&self) -> usize {
        self.limit
    }

    /// Applies the verdict on an attempt that began at `began`. Attempts from
    /// before the last halving do not halve again: they all met one congestion.
    pub(crate) fn apply(&mut self, change: LimitChange, began: Instant, now: Instant) {
        match change {
            LimitChange::Rise => self.rise(),
            LimitChange::Same => {}
            LimitChange::Halve | LimitChange::HalveAndClose(_) => {
                if self.halved_at.is_none_or(|halved| began >= halved) {
                    self.limit = (self.limit / 2).max(1);
                    self.halved_at = Some(now);
                    self.successes = 0;
                }
            }
        }
    }

    fn rise(&mut self) {
        self.successes += 1;
        if self.halved_at.is_none() || self.successes >= self.limit {
            self.limit = (self.limit + 1).min(self.max);
            self.successes = 0;
        }
    }
}

/// A token bucket: so many sends a second (at least one), with a burst of a tenth of a second.
#[derive(Debug)]
pub(crate) struct RateLimit {
    per_second: u32,
    /// Sends that are allowed now; a fraction waits to become one.
    tokens: f64,
    filled_at: Instant,
}

impl RateLimit {
    pub(crate) fn new(per_second: u32, now: Instant) -> Self {
        Self {
            per_second,
            tokens: 1.0,
            filled_at: now,
        }
    }

    pub(crate) const fn per_second(&self) -> u32 {
        self.per_second
    }

    /// How long until one more may be sent; zero when it may be now.
    pub(crate) fn wait(&mut self, now: Instant) -> Duration {
        let rate = f64::from(self.per_second);
        let earned = now.duration_since(self.filled_at).as_secs_f64() * rate;
        self.tokens = (self.tokens + earned).min((rate / 10.0).max(1.0));
        self.filled_at = now;
        if self.tokens >= 1.0 {
            Duration::ZERO
        } else {
            Duration::from_secs_f64((1.0 - self.tokens) / rate)
        }
    }

    pub(crate) fn take(&mut self) {
        self.tokens -= 1.0;
    }
}
