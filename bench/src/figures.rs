//! Figures of several rounds, of which the median counts.

use crate::percentiles::Sample;
use crate::process::Usage;

/// One round of one contestant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// A second.
    pub(crate) rate: f64,
    /// CPU seconds for 1 000.
    pub(crate) cpu: f64,
    pub(crate) peak_mib: f64,
}

impl Run {
    /// A round of `count` at `rate` a second.
    pub(crate) fn new(count: usize, rate: f64, usage: Usage) -> Self {
        Self {
            rate,
            cpu: usage.cpu.as_secs_f64() * 1000.0 / count as f64,
            peak_mib: usage.peak_mib,
        }
    }
}

/// All rounds of one contestant.
#[derive(Debug)]
pub(crate) struct Runs {
    pub(crate) name: &'static str,
    runs: Vec<Run>,
}

impl Runs {
    pub(crate) fn new(name: &'static str) -> Self {
        let runs = Vec::new();
        Self { name, runs }
    }

    pub(crate) fn push(&mut self, run: Run) {
        self.runs.push(run);
    }

    /// A second, lowest and highest with it.
    pub(crate) fn rates(&self) -> Sample {
        Sample::new(self.runs.iter().map(|run| run.rate).collect())
    }

    pub(crate) fn rate(&self) -> f64 {
        self.rates().percentile(50)
    }

    /// CPU seconds for 1 000.
    pub(crate) fn cpu(&self) -> f64 {
        Sample::new(self.runs.iter().map(|run| run.cpu).collect()).percentile(50)
    }

    /// The highest of all rounds.
    pub(crate) fn peak_mib(&self) -> f64 {
        Sample::new(self.runs.iter().map(|run| run.peak_mib).collect()).max()
    }
}
