//! The load: as much as the producer takes, or so many events a second.

use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use e2e::client::send;
use e2e::{Binary, Client, events};
use indicatif::ProgressBar;
use reqwest::Method;
use tokio::task::JoinSet;

/// Lines in a request: the most that the producer takes.
pub(crate) const LINES: usize = 1000;
/// Requests under way at once.
pub(crate) const REQUESTS: usize = 8;

/// Posts `count` events, in whole requests of 1 000 lines that repeat
/// `bodies`, as fast as they are taken.
///
/// # Errors
/// When a line was not accepted.
///
/// # Panics
/// When a request is not answered 207.
pub(crate) async fn post_all(
    client: &Client,
    bodies: &[Bytes],
    count: usize,
    bar: &ProgressBar,
) -> io::Result<()> {
    let mut under_way = JoinSet::new();
    for body in bodies.iter().cycle().take(count.div_ceil(LINES)) {
        if under_way.len() == REQUESTS {
            finish_one(&mut under_way, bar).await?;
        }
        under_way.spawn(post_lines(client.clone(), body.clone()));
    }
    while !under_way.is_empty() {
        finish_one(&mut under_way, bar).await?;
    }
    Ok(())
}

async fn finish_one(under_way: &mut JoinSet<io::Result<()>>, bar: &ProgressBar) -> io::Result<()> {
    if let Some(finished) = under_way.join_next().await {
        finished??;
        bar.inc(LINES as u64);
    }
    Ok(())
}

async fn post_lines(client: Client, body: Bytes) -> io::Result<()> {
    let request = client.request(Binary::Producer, Method::POST, "/v1/events");
    let request = request.header("Content-Type", "application/x-ndjson");
    let text = send(request.body(body)).await.expect(207).text();
    let accepted = text.lines().filter(|line| line.contains("\"id\"")).count();
    if accepted == LINES {
        Ok(())
    } else {
        let refused = text.lines().find(|line| !line.contains("\"id\""));
        Err(io::Error::other(format!(
            "{accepted} of {LINES} events were accepted, and not: {refused:?}"
        )))
    }
}

/// An event that was posted alone.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) id: String,
    /// When it was to be sent: time that the load itself is late counts.
    pub(crate) due: Instant,
    /// When the producer's 202 had come.
    pub(crate) accepted: Instant,
}

/// Posts `rate` events in each second of `duration`, one a request, whether
/// earlier ones were answered or not (open loop).
///
/// # Panics
/// When one is not answered 202.
pub(crate) async fn post_at(
    client: &Client,
    rate: u32,
    duration: Duration,
    bar: &ProgressBar,
) -> io::Result<Vec<Posted>> {
    let start = Instant::now();
    let count = duration.as_secs() * u64::from(rate);
    let mut under_way = JoinSet::new();
    for number in 0..count {
        let due = start + Duration::from_secs(number) / rate;
        tokio::time::sleep_until(due.into()).await;
        under_way.spawn(post_one(client.clone(), number, due));
        bar.inc(1);
    }
    let mut posted = Vec::with_capacity(under_way.len());
    while let Some(finished) = under_way.join_next().await {
        posted.push(finished?);
    }
    Ok(posted)
}

async fn post_one(client: Client, number: u64, due: Instant) -> Posted {
    let mut event = events::rating_submitted(5);
    event["data"]["customer_id"] = format!("cus_{number}").into();
    let id = client.post_event(&event).await;
    Posted {
        id,
        due,
        accepted: Instant::now(),
    }
}
