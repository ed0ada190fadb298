//! A backlog for an endpoint that is slow, and for one that hangs and
//! recovers: what is set aside, what it costs others, how it comes back.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use e2e::{Broker, Stack};
use indicatif::ProgressBar;

use crate::bed::Bed;
use crate::percentiles::{Sample, milliseconds};
use crate::report::{Section, Target, short};
use crate::sink::{Answer, Arrival};
use crate::{Size, load, process, progress};

const ANSWERS_AFTER: Duration = Duration::from_millis(100);
/// The endpoint's limit.
const AT_ONCE: f64 = 64.0;
/// Another account's events meanwhile, a second.
const OTHERS: u32 = 100;
const LINGER: Duration = Duration::from_millis(5);
const DEADLINE: Duration = Duration::from_secs(900);
const BACKLOG: usize = 0;
const OTHER: usize = 1;

pub(crate) async fn run(size: Size) -> anyhow::Result<Section> {
    let count = size.of(200_000);
    let slow = slow(count).await?;
    let hang = Duration::from_secs(size.of(120) as u64 + if count < 200_000 { 60 } else { 0 });
    let hung = hung(count, hang).await?;
    let pace = AT_ONCE / ANSWERS_AFTER.as_secs_f64();
    Ok(Section::new("Set aside")
        .text(&format!(
            "{count} waiting records for one endpoint that takes {ANSWERS_AFTER:?} (at most \
             {pace:.0} a second with {AT_ONCE} attempts at once). Beside it another endpoint gets \
             {OTHERS} events a second; their times count from the moment when the backlog has \
             been read and set aside, {} s after the dispatcher's start.",
            short(slow.set_aside_in.as_secs_f64())
        ))
        .table(
            &["", ""],
            &[
                row("written to webhooks.ready", slow.written.to_string()),
                row("of these a second time", slow.twice.to_string()),
                row("drained at, a second", short(slow.pace)),
                row("peak memory", format!("{:.0} MiB", slow.peak_mib)),
                row("the other endpoint, p50", ms(&slow.others, 50)),
                row("the other endpoint, p99", ms(&slow.others, 99)),
            ],
        )
        .targets(&[
            Target::at_most(
                "times a delivery was written to ready",
                slow.most_times,
                1.0,
            ),
            Target::at_least("pace, of the endpoint's own", slow.pace / pace, 0.95),
            Target::at_most("peak memory, MiB", slow.peak_mib, 128.0),
        ])
        .text(&format!(
            "The same backlog for an endpoint that hangs for {} s and then answers at once.",
            hang.as_secs()
        ))
        .table(
            &["", ""],
            &[
                row("delivered", format!("{} of {count}", hung.delivered)),
                row(
                    "deferrals of a delivery, at most",
                    hung.deferrals.to_string(),
                ),
                row("first delivery after the recovery", seconds(hung.first)),
                row("in the best second after it", hung.best.to_string()),
                row("all delivered after", seconds(hung.all)),
                row("peak memory", format!("{:.0} MiB", hung.peak_mib)),
            ],
        )
        .targets(&[
            Target::at_least("delivered", hung.delivered as f64, count as f64),
            Target::at_most("deferrals", f64::from(hung.deferrals), 3.0),
            Target::at_most(
                "from the recovery, or the moment when most are due, to half of the full pace, s",
                hung.to_pace.as_secs_f64(),
                15.0,
            ),
        ]))
}

fn row(what: &str, value: String) -> Vec<String> {
    vec![what.to_owned(), value]
}

fn ms(sample: &Sample, percent: usize) -> String {
    format!("{} ms", short(sample.percentile(percent)))
}

fn seconds(time: Duration) -> String {
    format!("{} s", short(time.as_secs_f64()))
}

struct Slow {
    set_aside_in: Duration,
    written: usize,
    twice: usize,
    most_times: f64,
    pace: f64,
    peak_mib: f64,
    others: Sample,
}

async fn new_bed(count: usize) -> anyhow::Result<Bed> {
    let mut bed = Bed::new(Stack::builder(), LINGER).await?;
    bed.endpoints(BACKLOG..BACKLOG + 1, "new_feedback").await;
    bed.endpoints(OTHER..OTHER + 1, "nps_calculated").await;
    bed.load
        .write_all(count, load::feedback, &ProgressBar::hidden())
        .await?;
    Ok(bed)
}

async fn slow(count: usize) -> anyhow::Result<Slow> {
    let mut bed = new_bed(count).await?;
    bed.sink.answer(BACKLOG, Answer::After(ANSWERS_AFTER));
    let start = Instant::now();
    bed.start_dispatcher().await;
    let (group, events) = (
        bed.stack.name("dispatcher"),
        bed.stack.name("feedback.events"),
    );
    let broker = Broker::shared().await;
    broker.wait_until_committed(&group, &events, DEADLINE).await;
    let set_aside_in = start.elapsed();
    let bar = progress::bar("Set aside, slow", count);
    let time = Duration::from_secs(30);
    let written = bed
        .load
        .write_at(OTHERS, time, load::nps, &ProgressBar::hidden())
        .await?;
    let all = count + written.len();
    let seen = |seen| bar.set_position(seen as u64);
    bed.sink.wait_for(all, DEADLINE, seen).await;
    bar.finish();
    let peak_mib = bed.usage()?.peak_mib;
    let arrivals = bed.sink.take();
    let at: HashMap<_, _> = arrivals
        .iter()
        .filter(|arrival| arrival.endpoint == OTHER)
        .filter_map(|arrival| Some((arrival.event?, arrival.at)))
        .collect();
    let others = written
        .iter()
        .map(|event| milliseconds(event.at, at[&event.event]))
        .collect();
    let backlog: Vec<_> = arrivals
        .iter()
        .filter(|arrival| arrival.endpoint == BACKLOG)
        .collect();
    let (from, to) = (count / 10, count * 9 / 10);
    let pace = (to - from) as f64 / (backlog[to].at - backlog[from].at).as_secs_f64();
    let mut times: HashMap<String, usize> = HashMap::new();
    for record in broker.read(&bed.stack.name("webhooks.ready")).await {
        let id = record.json()["id"].as_str().map(str::to_owned);
        *times.entry(id.unwrap_or_default()).or_default() += 1;
    }
    bed.stop_dispatcher().await;
    Ok(Slow {
        set_aside_in,
        written: times.len(),
        twice: times.values().filter(|times| **times > 1).count(),
        most_times: times.values().max().copied().unwrap_or_default() as f64,
        pace,
        peak_mib,
        others: Sample::new(others),
    })
}

struct Hung {
    delivered: usize,
    deferrals: u32,
    first: Duration,
    best: usize,
    all: Duration,
    to_pace: Duration,
    peak_mib: f64,
}

async fn hung(count: usize, hang: Duration) -> anyhow::Result<Hung> {
    let mut bed = new_bed(count).await?;
    bed.sink.answer(BACKLOG, Answer::Hangs);
    bed.start_dispatcher().await;
    let bar = progress::bar("Set aside, hung", count);
    tokio::time::sleep(hang).await;
    drop(bed.sink.take());
    bed.sink.answer(BACKLOG, Answer::AtOnce);
    let recovered = Instant::now();
    let seen = |seen| bar.set_position(seen as u64);
    bed.sink.wait_for(count, DEADLINE, seen).await;
    bar.finish();
    let peak_mib = process::usage(bed.stack.dispatcher.pid())?.peak_mib;
    let arrivals = bed.sink.take();
    let per_second = per_second(&arrivals, recovered);
    let best = per_second.iter().copied().max().unwrap_or_default();
    let index = |least: usize| per_second.iter().position(|count| *count >= least);
    // What is due is what comes: a burst begins when a tier's records are due.
    let begins = index(best / 100).unwrap_or_default();
    let at_pace = index(best / 2).unwrap_or_default();
    let deferrals = deferrals(&bed).await;
    bed.stop_dispatcher().await;
    Ok(Hung {
        delivered: arrivals.len().min(count),
        deferrals,
        first: arrivals[0].at - recovered,
        best,
        all: arrivals[count - 1].at - recovered,
        to_pace: Duration::from_secs((at_pace - begins) as u64),
        peak_mib,
    })
}

fn per_second(arrivals: &[Arrival], from: Instant) -> Vec<usize> {
    let mut counts = Vec::new();
    for arrival in arrivals {
        let second = usize::try_from((arrival.at - from).as_secs()).unwrap_or_default();
        if counts.len() <= second {
            counts.resize(second + 1, 0);
        }
        counts[second] += 1;
    }
    counts
}

/// The most deferrals of one delivery, as the attempt log says.
async fn deferrals(bed: &Bed) -> u32 {
    let mut deferrals: HashMap<String, u32> = HashMap::new();
    let topic = bed.stack.name("webhooks.attempts");
    for record in Broker::shared().await.read(&topic).await {
        if record.json()["next"] == "deferred" {
            *deferrals.entry(record.key_text()).or_default() += 1;
        }
    }
    deferrals.values().max().copied().unwrap_or_default()
}
