//! How many events the ingest tokens of an account may send.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::AccountId;

/// One token bucket an account. It holds a second's worth of events; a request
/// of many lines may overdraw it, and the account then waits that much longer.
#[derive(Debug)]
pub(crate) struct Rate {
    per_second: f64,
    // Accounts come from the settings, so there are only so many.
    buckets: Mutex<HashMap<AccountId, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    level: f64,
    at: Instant,
}

impl Rate {
    pub(crate) fn new(per_second: u32) -> Self {
        Self {
            per_second: f64::from(per_second),
            buckets: Mutex::default(),
        }
    }

    /// Takes one event's worth.
    ///
    /// # Errors
    /// How long until there is one, when the account has used up its rate.
    pub(crate) fn take_one(&self, account: &AccountId, now: Instant) -> Result<(), Duration> {
        let level = self.change(
            account,
            now,
            |level| {
                if level < 1.0 { level } else { level - 1.0 }
            },
        );
        if level < 1.0 {
            let wait = (1.0 - level) / self.per_second;
            return Err(Duration::from_secs_f64(wait));
        }
        Ok(())
    }

    /// Takes the worth of `events` more of a request that is let in already.
    pub(crate) fn overdraw(&self, account: &AccountId, events: usize, now: Instant) {
        let events = f64::from(u32::try_from(events).unwrap_or(u32::MAX));
        self.change(account, now, |level| level - events);
    }

    /// Changes an account's level and gives what it was before.
    fn change(&self, account: &AccountId, now: Instant, change: impl Fn(f64) -> f64) -> f64 {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full = Bucket {
            level: self.per_second,
            at: now,
        };
        let bucket = buckets.entry(account.clone()).or_insert(full);
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        let level = (bucket.level + passed * self.per_second).min(self.per_second);
        *bucket = Bucket {
            level: change(level),
            at: now.max(bucket.at),
        };
        level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_events_may_come_at_once_and_then_one_at_a_time() {
        let (rate, shop) = (Rate::new(10), "shop".parse().unwrap());
        let start = Instant::now();
        for _ in 0..10 {
            rate.take_one(&shop, start).unwrap();
        }
        let wait = rate.take_one(&shop, start).unwrap_err();
        assert_eq!(wait.as_millis(), 100);
        let soon = start + wait + Duration::from_millis(1);
        rate.take_one(&shop, soon).unwrap();
        rate.take_one(&shop, soon).unwrap_err();
        rate.take_one(&"other".parse().unwrap(), soon).unwrap();
    }

    #[test]
    fn who_overdraws_waits_for_it() {
        let (rate, shop) = (Rate::new(10), "shop".parse().unwrap());
        let start = Instant::now();
        rate.take_one(&shop, start).unwrap();
        rate.overdraw(&shop, 999, start);
        let wait = rate.take_one(&shop, start).unwrap_err();
        assert_eq!(wait.as_millis(), 99_100);
    }
}
