//! Deliveries of one dispatcher, on one core, that finds a backlog.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use e2e::receiver::Log;
use e2e::{Binary, Receiver, Stack, events};

use crate::accept::Throughput;
use crate::load::{LINES, post_all};
use crate::memory::Memory;
use crate::percentiles::Sample;
use crate::{layout, process, progress};

/// The machine's noise shows in how far they differ.
const ROUNDS: usize = 3;
/// Different requests, which are repeated.
const BODIES: usize = 20;
/// Makes the body of the delivery about 1 KiB.
const COMMENT: usize = 680;
/// A dispatcher that delivers less than 100 a second is broken.
const SLOWEST: u64 = 100;

/// Measures.
///
/// # Errors
/// When an event is not accepted.
///
/// # Panics
/// When not all events arrive.
pub(crate) async fn measure(count: usize, memory: &mut Memory) -> io::Result<Throughput> {
    let count = count.div_ceil(LINES) * LINES;
    let bodies = bodies();
    let mut stack = Stack::builder().start().await;
    let deadline = Duration::from_secs(60 + count as u64 / SLOWEST);
    let (mut rates, mut bytes, mut peak) = (Vec::new(), 0, 0.0_f64);
    let (mut cpu, mut time) = (Duration::ZERO, Duration::ZERO);
    let bar = progress::bar("Deliveries of a backlog", count * ROUNDS);
    let silent = indicatif::ProgressBar::hidden();
    let mut endpoint: Option<String> = None;
    for round in 0..ROUNDS {
        // One for each round: it keeps all that it got.
        let receiver = Receiver::start();
        if let Some(id) = endpoint.take() {
            stack.client.delete_endpoint(&id).await;
        }
        let created = stack
            .client
            .create_endpoint(&receiver.url("/hook"), &["new_feedback"])
            .await;
        endpoint = Some(created.id);
        layout::stop(&mut stack.dispatcher).await;
        post_all(&stack.client, &bodies, count, &silent).await?;

        layout::start_measured(&mut stack.dispatcher).await;
        let done = (round * count) as u64;
        let arrived = |log: &Log| {
            bar.set_position(done + log.total() as u64);
            (log.events("/hook") >= count).then_some(())
        };
        receiver
            .wait_for("the whole backlog", deadline, arrived)
            .await;
        // From its start, as it delivers before it can be looked at.
        let pid = stack.dispatcher.pid();
        cpu += process::cpu(pid)?;
        peak = peak.max(process::resident(pid)?.peak);
        memory.note_peak(&stack, &[Binary::Dispatcher])?;
        let took = receiver.look(|log| {
            let all = log.all();
            bytes = all[0].body.len();
            all[all.len() - 1].instant - all[0].instant
        });
        rates.push(count as f64 / took.as_secs_f64());
        time += took;
    }
    bar.finish();
    memory.note_peak(&stack, &[Binary::Producer])?;
    Ok(Throughput {
        rates: Sample::new(rates),
        events: count,
        bytes,
        cpu,
        time,
        peak,
    })
}

fn bodies() -> Vec<Bytes> {
    let mut event = events::new_feedback(&"Danke! ".repeat(COMMENT / 7));
    let mut body = |first| {
        let mut lines = String::new();
        for number in first..first + LINES {
            event["data"]["customer_id"] = format!("cus_{number}").into();
            lines.push_str(&event.to_string());
            lines.push('\n');
        }
        lines.into()
    };
    (0..BODIES).map(|number| body(number * LINES)).collect()
}
