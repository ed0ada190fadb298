//! Whether the engine's thread has time left. Where it has not, the dispatcher is
//! what limits deliveries, and not the endpoint that they wait for.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;

/// How often it is measured.
pub(crate) const EVERY: Duration = Duration::from_millis(20);
/// It has none when it works for this share of the time.
const SATURATED: f64 = 0.9;

/// What the thread has worked up to the last measurement.
pub(crate) struct Saturation {
    at: Instant,
    worked: Duration,
}

impl Saturation {
    /// Measures from now on. Call it on the engine's runtime.
    pub(crate) fn new() -> Self {
        Self {
            at: Instant::now(),
            worked: Handle::current().metrics().worker_total_busy_duration(0),
        }
    }

    /// The time since the last call, and whether none of it was left.
    pub(crate) fn measure(&mut self) -> (Duration, bool) {
        let before = std::mem::replace(self, Self::new());
        let (passed, worked) = (self.at - before.at, self.worked - before.worked);
        (passed, worked >= passed.mul_f64(SATURATED))
    }
}
