//! Percentiles of a sample.

use std::time::Instant;

/// A sample, sorted. Never empty.
#[derive(Debug)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    /// Of these values.
    ///
    /// # Panics
    /// When there are none.
    pub(crate) fn new(mut values: Vec<f64>) -> Self {
        assert!(!values.is_empty(), "nothing was measured");
        values.sort_unstable_by(f64::total_cmp);
        Self(values)
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The smallest value that `percent` of 100 values do not exceed (nearest rank).
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0[rank.clamp(1, self.0.len()) - 1]
    }

    pub(crate) fn min(&self) -> f64 {
        self.percentile(0)
    }

    pub(crate) fn max(&self) -> f64 {
        self.percentile(100)
    }
}

/// From one moment to another; negative when they come the other way round.
pub(crate) fn milliseconds(from: Instant, to: Instant) -> f64 {
    let after = to.saturating_duration_since(from).as_secs_f64();
    let before = from.saturating_duration_since(to).as_secs_f64();
    (after - before) * 1000.0
}

#[cfg(test)]
mod tests {
    use super::Sample;

    #[test]
    fn percentiles_are_values_of_the_sample() {
        let sample = Sample::new((1..=200).rev().map(f64::from).collect());
        assert_eq!(sample.min(), 1.0);
        assert_eq!(sample.percentile(50), 100.0);
        assert_eq!(sample.percentile(99), 198.0);
        assert_eq!(sample.max(), 200.0);
        assert_eq!(Sample::new(vec![7.0]).percentile(99), 7.0);
    }
}
