//! The time from an event's acceptance to its delivery, at a steady rate.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use e2e::{Binary, Receiver, Stack};

use crate::load::post_at;
use crate::memory::Memory;
use crate::percentiles::Sample;
use crate::{layout, progress};

/// Events a second.
pub(crate) const RATE: u32 = 500;
/// Posted before, at the same rate, and not counted: connections are made and
/// the endpoint's limit rises.
const WARM_UP: Duration = Duration::from_secs(3);
const DEADLINE: Duration = Duration::from_secs(60);

/// The times of all events, in milliseconds.
#[derive(Debug)]
pub(crate) struct Latency {
    /// From the moment when the client was to send it.
    pub(crate) from_post: Sample,
    /// From the moment when the client had the 202; negative where the
    /// delivery was faster than the answer.
    pub(crate) from_accept: Sample,
    pub(crate) seconds: u64,
}

/// Measures.
///
/// # Errors
/// When the load cannot be made.
///
/// # Panics
/// When an event is not accepted or does not arrive.
pub(crate) async fn measure(duration: Duration, memory: &mut Memory) -> io::Result<Latency> {
    let receiver = Receiver::start();
    let mut stack = Stack::builder().start().await;
    stack
        .client
        .create_endpoint(&receiver.url("/hook"), &["rating_submitted"])
        .await;
    layout::move_to_measured(&mut stack.producer).await;
    layout::move_to_measured(&mut stack.dispatcher).await;

    let (warm_up, counted) = (events_in(WARM_UP), events_in(duration));
    let bar = progress::bar("Time to delivery", warm_up + counted);
    post_at(&stack.client, RATE, WARM_UP, &bar).await?;
    let posted = post_at(&stack.client, RATE, duration, &bar).await?;
    receiver
        .wait_for_events("/hook", warm_up + counted, DEADLINE)
        .await;
    bar.finish();
    memory.note_peak(&stack, &Binary::ALL)?;

    let arrivals: HashMap<String, Instant> = receiver.look(|log| {
        let firsts = log.all().iter().filter(|request| request.attempt == 1);
        firsts
            .map(|request| (request.webhook_id().to_owned(), request.instant))
            .collect()
    });
    let since = |moment: fn(&crate::load::Posted) -> Instant| {
        let times = posted.iter().map(|event| {
            let arrived = arrivals[&event.id];
            milliseconds(moment(event), arrived)
        });
        Sample::new(times.collect())
    };
    Ok(Latency {
        from_post: since(|event| event.due),
        from_accept: since(|event| event.accepted),
        seconds: duration.as_secs(),
    })
}

/// How many events [`RATE`] makes in this time.
pub(crate) fn events_in(duration: Duration) -> usize {
    RATE as usize * usize::try_from(duration.as_secs()).unwrap_or(usize::MAX)
}

/// From one moment to another; negative when they come the other way round.
pub(crate) fn milliseconds(from: Instant, to: Instant) -> f64 {
    let after = to.saturating_duration_since(from).as_secs_f64();
    let before = from.saturating_duration_since(to).as_secs_f64();
    (after - before) * 1000.0
}
