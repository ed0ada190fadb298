//! What the dispatcher is compared with, each a process of its own: what
//! people write in an afternoon, and the bare loops below which no dispatcher
//! can be.

mod afternoon;
mod bare;

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Subcommand;
use e2e::Broker;

use crate::bed::Bed;
use crate::layout;
use crate::process::{self, Usage};

/// The signing secret of all peers.
const SECRET: &[u8] = b"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// Runs one of them.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Peer {
    /// StreamConsumer, for_each_concurrent, reqwest: endpoints one after the
    /// other get each event.
    Afternoon {
        #[arg(long)]
        brokers: String,
        #[arg(long)]
        topic: String,
        #[arg(long)]
        group: String,
        /// Events under way at once.
        #[arg(long)]
        at_once: usize,
        urls: Vec<String>,
    },
    /// Consumes so many records and signs each.
    Consumer {
        #[arg(long)]
        brokers: String,
        #[arg(long)]
        topic: String,
        #[arg(long)]
        count: usize,
    },
    /// Posts so many bodies on own connections of hyper.
    Http {
        #[arg(long)]
        url: String,
        #[arg(long)]
        count: usize,
        #[arg(long)]
        connections: usize,
    },
}

impl Peer {
    /// Runs it in this process, to its end.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Afternoon {
                brokers,
                topic,
                group,
                at_once,
                urls,
            } => afternoon::run(&brokers, &topic, &group, at_once, urls),
            Self::Consumer {
                brokers,
                topic,
                count,
            } => bare::consume(&brokers, &topic, count).and_then(|()| tell_usage()),
            Self::Http {
                url,
                count,
                connections,
            } => bare::post(&url, count, connections).and_then(|()| tell_usage()),
        }
    }
}

/// Tells what this process has used, for [`Running::finish`].
fn tell_usage() -> anyhow::Result<()> {
    let Usage { cpu, peak_mib } = process::usage(std::process::id())?;
    writeln!(std::io::stdout(), "{} {peak_mib}", cpu.as_secs_f64())?;
    Ok(())
}

/// A peer that runs on the measured core. Killed when dropped.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let core = layout::MEASURED.to_string();
        // Not by its path: building what is measured may have put another there.
        let itself = format!("/proc/{}/exe", std::process::id());
        let child = Command::new("taskset")
            .args(["-c", &core, &itself])
            .arg("peer")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Self(child))
    }

    /// Starts the afternoon's code on a bed's events, for these endpoints.
    pub(crate) async fn afternoon(
        bed: &Bed,
        at_once: u32,
        endpoints: std::ops::Range<usize>,
    ) -> anyhow::Result<Self> {
        let brokers = Broker::shared().await.bootstrap();
        let (topic, group) = (
            bed.stack.name("feedback.events"),
            bed.stack.name("afternoon"),
        );
        let at_once = at_once.to_string();
        let options = [
            ["--brokers", brokers],
            ["--topic", &topic],
            ["--group", &group],
            ["--at-once", &at_once],
        ];
        let urls: Vec<String> = endpoints.map(|number| bed.sink.url(number)).collect();
        let mut arguments = vec!["afternoon"];
        arguments.extend(options.as_flattened());
        arguments.extend(urls.iter().map(String::as_str));
        Self::start(&arguments)
    }

    /// What it has used so far.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        Ok(process::usage(self.0.id())?)
    }

    /// What it has used, at its end.
    pub(crate) fn finish(mut self) -> anyhow::Result<Usage> {
        let mut told = String::new();
        let stdout = self.0.stdout.take();
        stdout.context("it has one")?.read_to_string(&mut told)?;
        ensure!(self.0.wait()?.success(), "a peer failed; it has said why");
        let (cpu, peak) = told.trim().split_once(' ').context("it tells both")?;
        Ok(Usage {
            cpu: Duration::from_secs_f64(cpu.parse()?),
            peak_mib: peak.parse()?,
        })
    }

    /// Ends it by SIGKILL.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
