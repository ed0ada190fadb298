//! The producer: events accepted a second, and the time of a single POST.

use std::time::{Duration, Instant};

use bytes::Bytes;
use e2e::client::send;
use e2e::{Binary, Client, Stack, events};
use reqwest::Method;
use tokio::task::JoinSet;

use crate::bed;
use crate::figures::{Run, Runs};
use crate::load::{self, Load};
use crate::percentiles::{Sample, milliseconds};
use crate::process::Usage;
use crate::report::{Section, Target, short};
use crate::{Size, layout, progress};

const ROUNDS: usize = 3;
/// Lines in a request: the most that the producer takes.
const LINES: usize = 1_000;
/// Requests under way at once.
const REQUESTS: usize = 8;
/// Different requests, which are repeated.
const BODIES: usize = 20;
/// Single POSTs a second.
const RATE: u32 = 1_000;
/// Records a second that are written straight to Kafka meanwhile, for its own
/// acknowledgement time.
const PROBES: u32 = 50;

pub(crate) async fn run(size: Size) -> anyhow::Result<Section> {
    let count = size.of(300_000);
    let mut stack = Stack::builder().start().await;
    layout::stop(&mut stack.dispatcher).await;
    layout::stop(&mut stack.producer).await;
    layout::start_measured(&mut stack.producer).await;

    let bodies: Vec<Bytes> = (0..BODIES)
        .map(|number| events::ratings_ndjson(number * LINES, LINES).into())
        .collect();
    let bytes = bodies.iter().map(Bytes::len).sum::<usize>() / BODIES / LINES;
    let bar = progress::bar("Events accepted", count * ROUNDS);
    let mut accepted = Runs::new("NDJSON");
    for _ in 0..ROUNDS {
        let before = bed::usage(&stack.producer)?;
        let start = Instant::now();
        post_all(&stack.client, &bodies, count).await?;
        let rate = count as f64 / start.elapsed().as_secs_f64();
        let Usage { cpu, peak_mib } = bed::usage(&stack.producer)?;
        let cpu = cpu - before.cpu;
        accepted.push(Run::new(count, rate, Usage { cpu, peak_mib }));
        bar.inc(count as u64);
    }
    bar.finish();

    let time = Duration::from_secs(size.of(20) as u64 + 1);
    let load = Load::open(&stack.prefix, Duration::ZERO).await?;
    let rating = events::rating_submitted(5);
    let bar = progress::bar("Single POSTs", usize::try_from(RATE)? * size.of(20));
    let (posts, probes) = tokio::join!(
        load::post_at(&stack.client, RATE, time, &rating),
        load.write_at(PROBES, time, load::nps, &bar)
    );
    bar.finish();
    let posts = posts?;
    let posts = Sample::new(
        posts
            .iter()
            .map(|post| milliseconds(post.due, post.accepted))
            .collect(),
    );
    let probes = probes?;
    let probes = Sample::new(
        probes
            .iter()
            .map(|probe| milliseconds(probe.at, probe.acknowledged))
            .collect(),
    );
    let row = |name: &str, sample: &Sample| {
        let ms = |percent| format!("{} ms", short(sample.percentile(percent)));
        vec![name.to_owned(), ms(50), ms(99)]
    };
    Ok(Section::new("Ingest")
        .text(&format!(
            "NDJSON: {LINES} lines a request of about {bytes} bytes each, {REQUESTS} requests in \
             flight, {count} events a round, the producer on a core of its own."
        ))
        .runs(&[&accepted])
        .text(&format!(
            "Single events, {RATE} a second for {} s (open loop, from the moment when a POST was \
             to be sent to its 202), beside {PROBES} records a second that are written straight \
             to Kafka.",
            time.as_secs()
        ))
        .table(
            &["", "p50", "p99"],
            &[
                row("202 of the producer", &posts),
                row("acknowledgement of Kafka", &probes),
            ],
        )
        .targets(&[
            Target::at_least("events accepted a second", accepted.rate(), 20_000.0),
            Target::at_most(
                "p99 of a POST above the acknowledgement's, ms",
                posts.percentile(99) - probes.percentile(99),
                10.0,
            ),
        ]))
}

async fn post_all(client: &Client, bodies: &[Bytes], count: usize) -> anyhow::Result<()> {
    let mut under_way = JoinSet::new();
    for body in bodies.iter().cycle().take(count / LINES) {
        if under_way.len() == REQUESTS
            && let Some(finished) = under_way.join_next().await
        {
            finished?;
        }
        let request = client.request(Binary::Producer, Method::POST, "/v1/events");
        let request = request.header("Content-Type", "application/x-ndjson");
        let request = request.body(body.clone());
        under_way.spawn(async move {
            let text = send(request).await.expect(207).text();
            let accepted = text.lines().filter(|line| line.contains("\"id\"")).count();
            assert_eq!(accepted, LINES, "events were refused");
        });
    }
    while let Some(finished) = under_way.join_next().await {
        finished?;
    }
    Ok(())
}
