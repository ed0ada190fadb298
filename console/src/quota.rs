//! How many test events an account may send. Pure but for its lock.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::AccountId;

/// What the limit counts over.
const WINDOW: Duration = Duration::from_secs(60);
/// Accounts kept before those are looked for that have sent nothing lately.
const SWEEP: usize = 1024;

/// The moments of each account's test events within the last minute.
#[derive(Debug)]
pub(crate) struct Quota {
    limit: usize,
    sent: Mutex<HashMap<AccountId, VecDeque<Instant>>>,
}

impl Quota {
    /// At most `limit` a minute for each account.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            sent: Mutex::default(),
        }
    }

    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    /// Counts one more, unless there were as many as may be in the minute
    /// before `now`.
    ///
    /// # Errors
    /// How long from `now` the account has to wait.
    pub(crate) fn take(&self, account: &AccountId, now: Instant) -> Result<(), Duration> {
        let mut all = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |moment: &Instant| now.saturating_duration_since(*moment) >= WINDOW;
        if all.len() >= SWEEP && !all.contains_key(account) {
            all.retain(|_, sent| sent.back().is_some_and(|last| !is_over(last)));
        }
        let sent = all.entry(account.clone()).or_default();
        while sent.front().is_some_and(is_over) {
            sent.pop_front();
        }
        match sent.front() {
            Some(first) if sent.len() >= self.limit => {
                Err(WINDOW - now.saturating_duration_since(*first))
            }
            Some(_) | None => {
                sent.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_after_the_first_there_is_room_for_one_more() {
        let quota = Quota::new(2);
        let (shop, other) = ("shop".parse().unwrap(), "other".parse().unwrap());
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(quota.take(&shop, at(0)), Ok(()));
        assert_eq!(quota.take(&shop, at(20)), Ok(()));
        assert_eq!(quota.take(&shop, at(50)), Err(Duration::from_secs(10)));
        assert_eq!(
            quota.take(&other, at(50)),
            Ok(()),
            "each account for itself"
        );
        assert_eq!(quota.take(&shop, at(60)), Ok(()));
        assert_eq!(quota.take(&shop, at(61)), Err(Duration::from_secs(19)));
    }
}
