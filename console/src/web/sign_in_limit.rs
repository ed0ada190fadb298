//! How often wrong tokens may be tried. Pure but for its lock.
//!
//! Tokens are too long to be guessed; this is for those who chose a short one,
//! and for the log's sake.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What the limits count over.
const WINDOW: Duration = Duration::from_secs(60);
/// Wrong tokens from one address.
const FROM_ONE: usize = 10;
/// Wrong tokens from all together. It is also what is kept in memory at most.
const FROM_ALL: usize = 600;

/// The wrong tokens of the last minute.
#[derive(Debug, Default)]
pub(crate) struct SignInLimit(Mutex<VecDeque<(Instant, IpAddr)>>);

impl SignInLimit {
    /// Whether somebody may try now.
    ///
    /// # Errors
    /// How long they have to wait.
    pub(crate) fn check(&self, client: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |at: &Instant| now.saturating_duration_since(*at) >= WINDOW;
        while wrong.front().is_some_and(|(at, _)| is_over(at)) {
            wrong.pop_front();
        }
        let mut own = wrong.iter().filter(|(_, from)| *from == client);
        let oldest = if wrong.len() >= FROM_ALL {
            wrong.front()
        } else if own.clone().count() >= FROM_ONE {
            own.next()
        } else {
            return Ok(());
        };
        let since = oldest.map_or(now, |(at, _)| *at);
        Err(WINDOW.saturating_sub(now.saturating_duration_since(since)))
    }

    /// Counts a wrong one.
    pub(crate) fn count(&self, client: IpAddr, now: Instant) {
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() < FROM_ALL {
            wrong.push_back((now, client));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: usize) -> IpAddr {
        IpAddr::from([
            10,
            0,
            u8::try_from(last / 256).unwrap(),
            u8::try_from(last % 256).unwrap(),
        ])
    }

    #[test]
    fn one_address_waits_and_the_others_do_not() {
        let limit = SignInLimit::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        for _ in 0..FROM_ONE {
            assert_eq!(limit.check(address(1), at(0)), Ok(()));
            limit.count(address(1), at(0));
        }
        assert_eq!(
            limit.check(address(1), at(20)),
            Err(Duration::from_secs(40))
        );
        assert_eq!(limit.check(address(2), at(20)), Ok(()));
        assert_eq!(limit.check(address(1), at(60)), Ok(()));
    }

    #[test]
    fn all_together_have_a_limit_which_bounds_the_memory() {
        let limit = SignInLimit::default();
        let start = Instant::now();
        for number in 0..2 * FROM_ALL {
            limit.count(address(number), start);
        }
        assert_eq!(limit.0.lock().unwrap().len(), FROM_ALL);
        let new = address(50_000);
        assert_eq!(limit.check(new, start), Err(WINDOW));
        assert_eq!(limit.check(new, start + WINDOW), Ok(()));
    }
}
