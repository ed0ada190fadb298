//! All four binaries at 500 events a second: how long an event is on its way,
//! how late retries are, and how much memory each binary takes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::ensure;
use domain::EventId;
use e2e::{Service, Stack, events};

use crate::load::{self, Posted};
use crate::percentiles::{Sample, milliseconds};
use crate::report::{Section, short};
use crate::sink::{Answer, Arrival, Sink};
use crate::{Size, layout, process, progress};

/// Events a second.
const RATE: u32 = 500;
/// The delay of the first retry is measured; the others soon make a dead letter.
const SCHEDULE: [&str; 5] = ["5s", "6s", "7s", "8s", "9s"];
const FIRST: Duration = Duration::from_secs(5);
/// The first attempt and five retries.
const ATTEMPTS: usize = 6;
const DEADLINE: Duration = Duration::from_secs(120);
/// Endpoints: one takes each event at once, one the second time, one never.
const TAKES: usize = 0;
const TAKES_LATER: usize = 1;
const FAILS: usize = 2;

pub(crate) async fn run(size: Size) -> anyhow::Result<Section> {
    let time = Duration::from_secs(size.of(20) as u64 + 4);
    let count = usize::try_from(RATE)? * usize::try_from(time.as_secs())?;
    let mut stack = Stack::builder().schedule(&SCHEDULE).start().await;
    layout::stop(&mut stack.dispatcher).await;
    layout::start_measured(&mut stack.dispatcher).await;
    let idle = memory(&stack, |service| process::resident_mib(service.pid()))?;
    let sink = Sink::start();
    sink.answer(TAKES_LATER, Answer::FailsFirst);
    sink.answer(FAILS, Answer::Status(500));

    let client = &stack.client;
    for endpoint in [TAKES, TAKES_LATER] {
        let url = sink.url(endpoint);
        client.create_endpoint(&url, &["rating_submitted"]).await;
    }
    let bar = progress::bar("The whole way", 3 * count);
    let rating = events::rating_submitted(5);
    let posted = load::post_at(client, RATE, time, &rating).await?;
    let seen = |seen| bar.set_position(seen as u64);
    sink.wait_for(3 * count, DEADLINE, seen).await;
    bar.finish();
    let times = Times::of(&posted, &sink.take());

    let url = sink.url(FAILS);
    client.create_endpoint(&url, &["nps_calculated"]).await;
    let bar = progress::bar("Dead letters", ATTEMPTS * count);
    let nps = events::nps_calculated("Promoter");
    load::post_at(client, RATE, time, &nps).await?;
    let seen = |seen| bar.set_position(seen as u64);
    sink.wait_for(ATTEMPTS * count, DEADLINE, seen).await;
    e2e::until("each is on the failed list", DEADLINE, async || {
        (client.failed_count("").await == count as u64).then_some(())
    })
    .await;
    bar.finish();
    let peak = memory(&stack, |service| {
        process::usage(service.pid()).map(|usage| usage.peak_mib)
    })?;

    ensure!(
        times.late.min() >= 0.0,
        "a retry was early: that is a bug, and nothing was written"
    );
    let rows = [
        ("from a POST to its 202", &times.accepted),
        ("from a POST to the arrival", &times.arrived),
        ("from the 202 to the arrival", &times.after),
        ("a retry, from when it is due", &times.late),
    ]
    .map(|(name, sample)| {
        let ms = |percent| format!("{} ms", short(sample.percentile(percent)));
        vec![name.to_owned(), ms(50), ms(99)]
    });
    let memory: Vec<Vec<String>> = BINARIES
        .iter()
        .zip(idle.iter().zip(&peak))
        .map(|(name, (idle, peak))| {
            vec![
                (*name).to_owned(),
                format!("{idle:.0} MiB"),
                format!("{peak:.0} MiB"),
            ]
        })
        .collect();
    Ok(Section::new("The whole way")
        .text(&format!(
            "{RATE} events a second for {} s, posted to the producer one by one (open loop, from \
             the moment when each was to be sent), for two endpoints: one answers 200, one 500 \
             the first time, and gets a retry after {FIRST:?}. The dispatcher has a core; the \
             producer, dlq-consumer and console share the other one with broker, load and \
             receiver. The client may see the 202 after the arrival.",
            time.as_secs()
        ))
        .table(&["", "p50", "p99"], &rows)
        .text(&format!(
            "Memory of each binary: when it is ready and nothing has come yet, and the most in \
             this scenario, after as many events more for an endpoint that always answers 500 \
             ({ATTEMPTS} attempts each, {count} dead letters):"
        ))
        .table(&["", "idle", "under load"], &memory))
}

const BINARIES: [&str; 4] = ["producer", "dispatcher", "dlq-consumer", "console"];

/// Of each of [`BINARIES`], in MiB.
fn memory(
    stack: &Stack,
    of: impl Fn(&Service) -> std::io::Result<f64>,
) -> std::io::Result<Vec<f64>> {
    [
        &stack.producer,
        &stack.dispatcher,
        &stack.dlq_consumer,
        &stack.console,
    ]
    .into_iter()
    .map(of)
    .collect()
}

/// In milliseconds.
struct Times {
    accepted: Sample,
    arrived: Sample,
    after: Sample,
    late: Sample,
}

impl Times {
    fn of(posted: &[Posted], arrivals: &[Arrival]) -> Self {
        let mut first: HashMap<(usize, EventId), Instant> = HashMap::new();
        let mut late = Vec::with_capacity(posted.len());
        for arrival in arrivals {
            let Some(event) = arrival.event else { continue };
            let at = *first.entry((arrival.endpoint, event)).or_insert(arrival.at);
            if arrival.attempt > 1 {
                late.push(milliseconds(at + FIRST, arrival.at));
            }
        }
        let of = |time: &dyn Fn(&Posted, Instant) -> f64| {
            let arrived = |post: &Posted| first[&(TAKES, post.event)];
            Sample::new(
                posted
                    .iter()
                    .map(|post| time(post, arrived(post)))
                    .collect(),
            )
        };
        Self {
            accepted: of(&|post, _| milliseconds(post.due, post.accepted)),
            arrived: of(&|post, arrived| milliseconds(post.due, arrived)),
            after: of(&|post, arrived| milliseconds(post.accepted, arrived)),
            late: Sample::new(late),
        }
    }
}
