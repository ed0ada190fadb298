//! Events that one producer accepts, on one core.

use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use e2e::{Binary, Stack, events};

use crate::load::{LINES, post_all};
use crate::memory::Memory;
use crate::percentiles::Sample;
use crate::{layout, process, progress};

/// The machine's noise shows in how far they differ.
const ROUNDS: usize = 3;
/// Different requests, which are repeated.
const BODIES: usize = 20;

/// How much a binary did, over all rounds.
#[derive(Debug)]
pub(crate) struct Throughput {
    /// Of each round, events a second.
    pub(crate) rates: Sample,
    /// Events of each round.
    pub(crate) events: usize,
    /// Of each event, as it was counted.
    pub(crate) bytes: usize,
    pub(crate) cpu: Duration,
    /// From begin to end of the rounds.
    pub(crate) time: Duration,
    /// Of the process, in MiB.
    pub(crate) peak: f64,
}

/// Measures.
///
/// # Errors
/// When an event is not accepted.
pub(crate) async fn measure(count: usize, memory: &mut Memory) -> io::Result<Throughput> {
    let mut stack = Stack::builder().start().await;
    memory.note_idle(&stack)?;
    // It would share the core of the broker and the load.
    layout::stop(&mut stack.dispatcher).await;
    layout::move_to_measured(&mut stack.producer).await;
    let bodies: Vec<Bytes> = (0..BODIES)
        .map(|number| events::ratings_ndjson(number * LINES, LINES).into())
        .collect();
    let bytes = bodies.iter().map(Bytes::len).sum::<usize>() / BODIES / LINES;

    let bar = progress::bar("Events accepted", count * ROUNDS);
    let pid = stack.producer.pid();
    let (mut rates, mut time) = (Vec::new(), Duration::ZERO);
    let before = process::cpu(pid)?;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        post_all(&stack.client, &bodies, count, &bar).await?;
        let round = start.elapsed();
        rates.push((count.div_ceil(LINES) * LINES) as f64 / round.as_secs_f64());
        time += round;
    }
    let cpu = process::cpu(pid)? - before;
    bar.finish();
    memory.note_peak(&stack, &[Binary::Producer])?;
    Ok(Throughput {
        rates: Sample::new(rates),
        events: count,
        bytes,
        cpu,
        time,
        peak: process::resident(pid)?.peak,
    })
}
