//! Since when an endpoint fails, whatever the order in which its records come:
//! they stand in several partitions, and one may be read long before another.

/// First failures that are remembered. A success that so many failures have
/// overtaken leaves the last failure as the first one that is known.
const FIRST: usize = 16;

/// What is known of an endpoint's attempts, in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct EndpointHealth {
    pub(super) last_attempt: Option<i64>,
    pub(super) last_success: Option<i64>,
    pub(super) last_failure: Option<i64>,
    /// The first failures after the last success, in their order.
    pub(super) first_failures: Vec<i64>,
}

impl EndpointHealth {
    /// An attempt that began at `at`.
    pub(super) fn attempt(&mut self, at: i64, succeeded: bool) {
        self.last_attempt = self.last_attempt.max(Some(at));
        if succeeded {
            self.last_success = self.last_success.max(Some(at));
            self.first_failures.retain(|failure| *failure > at);
            if self.first_failures.is_empty() {
                let later = self
                    .last_failure
                    .filter(|last| Some(*last) > self.last_success);
                self.first_failures.extend(later);
            }
        } else {
            self.last_failure = self.last_failure.max(Some(at));
            if Some(at) > self.last_success
                && let Err(place) = self.first_failures.binary_search(&at)
            {
                self.first_failures.insert(place, at);
                self.first_failures.truncate(FIRST);
            }
        }
    }

    /// The first failure after the last success.
    pub(super) fn failing_since(&self) -> Option<i64> {
        self.first_failures.first().copied()
    }

    pub(super) fn failures_to_bytes(&self) -> Vec<u8> {
        let failures = self.first_failures.iter();
        failures.flat_map(|failure| failure.to_be_bytes()).collect()
    }

    pub(super) fn failures_of_bytes(bytes: &[u8]) -> Vec<i64> {
        let (failures, _) = bytes.as_chunks();
        failures
            .iter()
            .map(|bytes| i64::from_be_bytes(*bytes))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(attempts: &[(i64, bool)]) -> EndpointHealth {
        let mut health = EndpointHealth::default();
        for (at, succeeded) in attempts {
            health.attempt(*at, *succeeded);
        }
        health
    }

    #[test]
    fn it_fails_since_the_first_failure_after_the_last_success_in_any_order() {
        let attempts = [
            (1, false),
            (2, true),
            (3, false),
            (4, false),
            (5, true),
            (6, false),
            (7, false),
        ];
        for turn in 0..attempts.len() {
            let mut turned = attempts;
            turned.rotate_left(turn);
            for order in [turned.to_vec(), turned.into_iter().rev().collect()] {
                let health = health(&order);
                assert_eq!(health.failing_since(), Some(6), "{order:?}");
                assert_eq!(health.last_success, Some(5));
                assert_eq!(health.last_attempt, Some(7));
            }
        }
        assert_eq!(health(&[(1, false), (2, true)]).failing_since(), None);
    }

    #[test]
    fn a_success_that_very_many_failures_overtook_leaves_the_last_one() {
        let failures = (0..1_000).map(|at| (at, false));
        let mut all: Vec<_> = failures.collect();
        all.push((500, true));
        let health = health(&all);
        assert_eq!(health.failing_since(), Some(999));
        let bytes = health.failures_to_bytes();
        assert_eq!(EndpointHealth::failures_of_bytes(&bytes), [999]);
    }
}
