//! Ten endpoints, of which one hangs, one fails and one is slow: what the
//! other seven notice.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::EventId;
use e2e::Stack;

use crate::bed::Bed;
use crate::percentiles::{Sample, milliseconds};
use crate::report::{Section, Target, short};
use crate::sink::Answer;
use crate::{Size, layout, load, many, process, progress};

const ROUNDS: usize = 5;
const GOOD: usize = 7;
const ALL: usize = 10;
/// Shorter, the load's own requests fill the broker's core before any endpoint is bad.
const LINGER: Duration = Duration::from_millis(5);
const DEADLINE: Duration = Duration::from_secs(120);
/// Shown apart: the dispatcher has just been started, opens its connections and finds
/// out which endpoint is what.
const BEGINNING: Duration = Duration::from_secs(1);

/// What the seven got in one round.
struct Round {
    /// Deliveries a second.
    rate: f64,
    p50: f64,
    p99: f64,
    /// Of the events of the [`BEGINNING`], which are not in the other two.
    first_p99: f64,
    /// From the writing to the acknowledgement.
    acknowledged_p99: f64,
    /// Of the dispatcher's core.
    cpu_percent: f64,
    /// Of the core that broker, load and receiver share.
    others_percent: f64,
}

pub(crate) async fn run(size: Size) -> anyhow::Result<Section> {
    let alone = {
        let mut bed = Bed::new(Stack::builder(), LINGER).await?;
        many::drain(&mut bed, GOOD, size.of(40_000)).await?.rate
    };
    let events = rate(alone / 2.0 / GOOD as f64);
    let time = Duration::from_secs(size.of(20) as u64 / 2 + 1);
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        without.push(round(GOOD, events, time).await?);
        with.push(round(ALL, events, time).await?);
    }
    let median = |rounds: &[Round], of: fn(&Round) -> f64| {
        Sample::new(rounds.iter().map(of).collect()).percentile(50)
    };
    let row = |name: &str, rounds: &[Round]| {
        vec![
            name.to_owned(),
            format!("{:.0}", median(rounds, |round| round.rate)),
            format!(
                "{} ms",
                short(median(rounds, |round| round.acknowledged_p99))
            ),
            format!("{} ms", short(median(rounds, |round| round.p50))),
            format!("{} ms", short(median(rounds, |round| round.p99))),
            format!("{} ms", short(median(rounds, |round| round.first_p99))),
            format!("{:.0} %", median(rounds, |round| round.cpu_percent)),
            format!("{:.0} %", median(rounds, |round| round.others_percent)),
        ]
    };
    let ratio = |of| median(&with, of) / median(&without, of);
    Ok(Section::new("Fairness")
        .text(&format!(
            "Seven endpoints that answer at once manage {alone:.0} deliveries a second together. \
             They are offered half of that: {events} events a second for {} s, each for all of \
             them. With three more, that get the same events: one never answers, one answers 500 \
             at once, one takes 500 ms. {ROUNDS} interleaved rounds, medians; from the writing to \
             the arrival. The first second of each round, in which the dispatcher meets the \
             endpoints for the first time, stands apart.",
            time.as_secs()
        ))
        .table(
            &[
                "",
                "deliveries a second",
                "acknowledged p99",
                "arrived p50",
                "p99",
                "p99 of the first second",
                "use of the dispatcher's core",
                "of the other",
            ],
            &[
                row("the seven alone", &without),
                row("the seven beside the three", &with),
            ],
        )
        .targets(&[
            Target::at_least("deliveries a second, of alone", ratio(|it| it.rate), 0.9),
            Target::at_most("p99, of alone", ratio(|it| it.p99), 1.1),
        ]))
}

/// A whole number of events a second.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate of some thousands"
)]
fn rate(events: f64) -> u32 {
    events as u32
}

async fn round(endpoints: usize, events: u32, time: Duration) -> anyhow::Result<Round> {
    let mut bed = Bed::new(Stack::builder(), LINGER).await?;
    bed.endpoints(0..endpoints, "nps_calculated").await;
    bed.sink.answer(GOOD, Answer::Hangs);
    bed.sink.answer(GOOD + 1, Answer::Status(500));
    bed.sink
        .answer(GOOD + 2, Answer::After(Duration::from_millis(500)));
    bed.start_dispatcher().await;
    let seconds = usize::try_from(time.as_secs())?;
    let count = usize::try_from(events)? * seconds;
    let bar = progress::bar(&format!("Fairness, {endpoints} endpoints"), count);
    let used = || anyhow::Ok((bed.usage()?.cpu, process::core(layout::OTHERS)?));
    let before = used()?;
    let written = bed.load.write_at(events, time, load::nps, &bar).await?;
    let after = used()?;
    let percent = |used: Duration| 100.0 * used.as_secs_f64() / time.as_secs_f64();
    let good = |arrivals: &[crate::sink::Arrival]| {
        let good = arrivals.iter().filter(|arrival| arrival.endpoint < GOOD);
        good.count()
    };
    e2e::until("all deliveries to the seven", DEADLINE, async || {
        (bed.sink.look(good) >= count * GOOD).then_some(())
    })
    .await;
    bar.finish();
    let at: HashMap<EventId, Instant> = written
        .iter()
        .map(|written| (written.event, written.at))
        .collect();
    let arrivals = bed.sink.take();
    let good: Vec<_> = arrivals
        .iter()
        .filter(|arrival| arrival.endpoint < GOOD)
        .collect();
    let took = good[good.len() - 1].at - good[0].at;
    let begins = written[0].at + BEGINNING;
    let known = good
        .iter()
        .filter_map(|arrival| Some((at[&arrival.event?], arrival.at)));
    let (first, later): (Vec<_>, Vec<_>) = known.partition(|(written, _)| *written < begins);
    let sample = |of: Vec<_>| {
        let times = of.into_iter().map(|(from, to)| milliseconds(from, to));
        Sample::new(times.collect())
    };
    let (first, times) = (sample(first), sample(later));
    let acknowledged = written
        .iter()
        .map(|written| milliseconds(written.at, written.acknowledged));
    let acknowledged = Sample::new(acknowledged.collect());
    bed.stop_dispatcher().await;
    Ok(Round {
        rate: good.len() as f64 / took.as_secs_f64(),
        p50: times.percentile(50),
        p99: times.percentile(99),
        first_p99: first.percentile(99),
        acknowledged_p99: acknowledged.percentile(99),
        cpu_percent: percent(after.0 - before.0),
        others_percent: percent(after.1 - before.1),
    })
}
