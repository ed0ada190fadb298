//! The memory of the four binaries over all measurements.

use std::io;

use e2e::{Binary, Service, Stack};

use crate::process;

/// MiB by binary, in the order of [`Binary::ALL`].
#[derive(Debug, Default)]
pub(crate) struct Memory {
    idle: [f64; 4],
    peak: [f64; 4],
}

impl Memory {
    /// Notes what each takes when it is ready and nothing has come yet.
    ///
    /// # Errors
    /// When one of them has ended.
    pub(crate) fn note_idle(&mut self, stack: &Stack) -> io::Result<()> {
        for (idle, service) in self.idle.iter_mut().zip(services(stack)) {
            *idle = process::resident(service.pid())?.now;
        }
        Ok(())
    }

    /// Notes the most that each of these took since its start.
    ///
    /// # Errors
    /// When one of them has ended.
    pub(crate) fn note_peak(&mut self, stack: &Stack, of: &[Binary]) -> io::Result<()> {
        for ((peak, service), binary) in self.peak.iter_mut().zip(services(stack)).zip(Binary::ALL)
        {
            if of.contains(&binary) {
                *peak = peak.max(process::resident(service.pid())?.peak);
            }
        }
        Ok(())
    }

    /// Name, idle and peak of each.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&'static str, f64, f64)> {
        let figures = self.idle.iter().zip(&self.peak);
        Binary::ALL
            .iter()
            .zip(figures)
            .map(|(binary, (idle, peak))| (binary.name(), *idle, *peak))
    }
}

fn services(stack: &Stack) -> [&Service; 4] {
    Binary::ALL.map(|binary| match binary {
        Binary::Producer => &stack.producer,
        Binary::Dispatcher => &stack.dispatcher,
        Binary::DlqConsumer => &stack.dlq_consumer,
        Binary::Console => &stack.console,
    })
}
