//! How late retries are, at a steady rate. They must never be early.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use e2e::{Answer, Binary, Receiver, Stack};

use crate::latency::{RATE, events_in, milliseconds};
use crate::load::post_at;
use crate::memory::Memory;
use crate::percentiles::Sample;
use crate::{layout, progress};

/// The delay of the first retry, which is measured, and of the others, which
/// are not reached.
const SCHEDULE: [&str; 5] = ["5s", "10s", "20s", "30s", "40s"];
const FIRST: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(120);

/// How late each first retry was.
#[derive(Debug)]
pub(crate) struct Lateness {
    /// From five seconds after the end of the first attempt, as the receiver
    /// saw it, to the arrival of the second. Never below 0.
    pub(crate) lateness_ms: Sample,
    pub(crate) seconds: u64,
}

/// Measures.
///
/// # Errors
/// When the load cannot be made.
///
/// # Panics
/// When an event is not accepted or does not arrive twice.
pub(crate) async fn measure(duration: Duration, memory: &mut Memory) -> io::Result<Lateness> {
    let receiver = Receiver::start();
    receiver.answer("/hook", Answer::failing(1, 500));
    let mut stack = Stack::builder().schedule(&SCHEDULE).start().await;
    stack
        .client
        .create_endpoint(&receiver.url("/hook"), &["rating_submitted"])
        .await;
    layout::move_to_measured(&mut stack.producer).await;
    layout::move_to_measured(&mut stack.dispatcher).await;

    let count = events_in(duration);
    let bar = progress::bar("Retries", count);
    post_at(&stack.client, RATE, duration, &bar).await?;
    let what = format!("{count} retries");
    receiver
        .wait_for(&what, DEADLINE, |log| {
            (log.repeats("/hook") >= count).then_some(())
        })
        .await;
    bar.finish();
    memory.note_peak(&stack, &Binary::ALL)?;

    let lateness = receiver.look(|log| {
        let mut due: HashMap<&str, Instant> = HashMap::new();
        let mut lateness = Vec::with_capacity(count);
        for request in log.all() {
            if request.attempt == 1 {
                let ended = request.instant + request.lasted().unwrap_or_default();
                due.insert(request.webhook_id(), ended + FIRST);
            } else if let Some(due) = due.remove(request.webhook_id()) {
                lateness.push(milliseconds(due, request.instant));
            }
        }
        lateness
    });
    Ok(Lateness {
        lateness_ms: Sample::new(lateness),
        seconds: duration.as_secs(),
    })
}
