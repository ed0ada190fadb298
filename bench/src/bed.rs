//! A system of its own for a scenario: topics under a new prefix, endpoints at
//! the sink, and a dispatcher that runs when the scenario says so.

use std::time::Duration;

use e2e::{Binary, Service, Stack, StackBuilder};
use indicatif::ProgressBar;

use crate::layout;
use crate::load::Load;
use crate::process::{self, Usage};
use crate::sink::Sink;

pub(crate) struct Bed {
    pub(crate) stack: Stack,
    pub(crate) sink: Sink,
    pub(crate) load: Load,
}

/// The in-flight limit of each endpoint: it starts where it may end.
pub(crate) fn limit(builder: StackBuilder, limit: u32) -> StackBuilder {
    builder
        .set(Binary::Dispatcher, "limits.endpoint_start", limit)
        .set(Binary::Dispatcher, "limits.endpoint_max", limit)
}

impl Bed {
    /// Nothing runs at first. The load waits `linger` for more.
    pub(crate) async fn new(builder: StackBuilder, linger: Duration) -> anyhow::Result<Self> {
        let mut stack = builder.start().await;
        layout::stop(&mut stack.dispatcher).await;
        // The others answer on for some seconds when they are asked to stop.
        for service in [
            &mut stack.producer,
            &mut stack.dlq_consumer,
            &mut stack.console,
        ] {
            service.kill();
        }
        let load = Load::open(&stack.prefix, linger).await?;
        Ok(Self {
            stack,
            sink: Sink::start(),
            load,
        })
    }

    /// Creates the endpoints of these numbers, for one event. The console runs
    /// only for this time: it would read each attempt beside the load.
    pub(crate) async fn endpoints(&mut self, numbers: std::ops::Range<usize>, event: &str) {
        self.stack.console.restart().await;
        for number in numbers {
            let url = self.sink.url(number);
            self.stack.client.create_endpoint(&url, &[event]).await;
        }
        self.stack.console.kill();
    }

    /// Starts the dispatcher on the measured core.
    pub(crate) async fn start_dispatcher(&mut self) {
        layout::start_measured(&mut self.stack.dispatcher).await;
    }

    /// What the dispatcher has used since its start.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        usage(&self.stack.dispatcher)
    }

    /// Waits for so many requests and takes them: the time from the first to the last.
    ///
    /// # Panics
    /// When they have not come within `deadline`.
    pub(crate) async fn drained(
        &self,
        count: usize,
        deadline: Duration,
        bar: &ProgressBar,
    ) -> Duration {
        let before = bar.position();
        let seen = |seen| bar.set_position(before + seen as u64);
        self.sink.wait_for(count, deadline, seen).await;
        let arrivals = self.sink.take();
        arrivals[count - 1].at - arrivals[0].at
    }

    pub(crate) async fn stop_dispatcher(&mut self) {
        layout::stop(&mut self.stack.dispatcher).await;
    }
}

/// What a service has used since its start.
pub(crate) fn usage(service: &Service) -> anyhow::Result<Usage> {
    Ok(process::usage(service.pid())?)
}
