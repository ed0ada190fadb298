//! A steady stream: how long after its acceptance an event arrives.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::EventId;
use e2e::Stack;

use crate::bed::Bed;
use crate::load::{self, Written};
use crate::peer::Running;
use crate::percentiles::{Sample, milliseconds};
use crate::process::Usage;
use crate::report::{Section, Target, short};
use crate::{Size, progress, svg};

/// Events a second.
const RATE: u32 = 2_000;
/// Not counted: connections are made.
const WARM_UP: Duration = Duration::from_secs(3);
const DEADLINE: Duration = Duration::from_secs(60);
/// As the dispatcher's limit.
const AT_ONCE: u32 = 64;
const ROUNDS: usize = 3;

struct Contestant {
    name: &'static str,
    /// From the writing to the acknowledgement, in milliseconds.
    acknowledged: Vec<f64>,
    /// From the writing to the arrival.
    arrived: Vec<f64>,
    cpu: Duration,
}

pub(crate) async fn run(size: Size) -> anyhow::Result<Section> {
    let time = Duration::from_secs(size.of(20) as u64 + 1);
    let new = |name| Contestant {
        name,
        acknowledged: Vec::new(),
        arrived: Vec::new(),
        cpu: Duration::ZERO,
    };
    let (mut ours, mut afternoon) = (new("**dispatcher**"), new("afternoon's code"));
    for _ in 0..ROUNDS {
        let mut bed = Bed::new(Stack::builder(), Duration::ZERO).await?;
        bed.endpoints(0..1, "nps_calculated").await;
        bed.start_dispatcher().await;
        measure(&bed, &mut ours, time, || bed.usage()).await?;
        bed.stop_dispatcher().await;

        let bed = Bed::new(Stack::builder(), Duration::ZERO).await?;
        let running = Running::afternoon(&bed, AT_ONCE, 0..1).await?;
        measure(&bed, &mut afternoon, time, || running.usage()).await?;
        running.kill()?;
    }

    let contestants = [&ours, &afternoon].map(|contestant| {
        let acknowledged = Sample::new(contestant.acknowledged.clone());
        let arrived = Sample::new(contestant.arrived.clone());
        let cpu = contestant.cpu.as_secs_f64() * 1000.0 / arrived.len() as f64;
        (contestant.name, acknowledged, arrived, cpu)
    });
    let rows = contestants
        .iter()
        .map(|(name, acknowledged, arrived, cpu)| {
            let ms = |sample: &Sample, percent| format!("{} ms", short(sample.percentile(percent)));
            vec![
                (*name).to_owned(),
                ms(acknowledged, 50),
                ms(acknowledged, 99),
                ms(arrived, 50),
                ms(arrived, 99),
                short(*cpu),
            ]
        })
        .collect::<Vec<_>>();
    let [(_, acknowledged, arrived, cpu), (_, _, others, others_cpu)] = &contestants;
    let above = |percent| arrived.percentile(percent) - acknowledged.percentile(percent);
    Ok(Section::new("Open loop")
        .text(&format!(
            "{RATE} events a second for {} s, one endpoint, {ROUNDS} interleaved rounds; each \
             contestant has a core. Counted from the moment when the load hands an event to its \
             Kafka client: to the acknowledgement of all in-sync replicas (which is what the \
             producer waits for before its 202), and to the arrival of the whole request.",
            time.as_secs()
        ))
        .table(
            &[
                "",
                "acknowledged p50",
                "p99",
                "arrived p50",
                "p99",
                "CPU-s per 1 000",
            ],
            &rows,
        )
        .targets(&[
            Target::at_most("arrival above acknowledgement, p50, ms", above(50), 0.5),
            Target::at_most("arrival above acknowledgement, p99, ms", above(99), 2.0),
            Target::at_most("CPU, of the afternoon's code's", cpu / others_cpu, 1.0),
        ])
        .plot(
            "times",
            svg::distribution(&[
                ("acknowledged", acknowledged),
                ("dispatcher", arrived),
                ("afternoon's code", others),
            ]),
        ))
}

async fn measure(
    bed: &Bed,
    contestant: &mut Contestant,
    time: Duration,
    usage: impl Fn() -> anyhow::Result<Usage>,
) -> anyhow::Result<()> {
    let seconds = usize::try_from((WARM_UP + time).as_secs())?;
    let per_second = usize::try_from(RATE)?;
    let bar = progress::bar(contestant.name, seconds * per_second);
    bed.load.write_at(RATE, WARM_UP, load::nps, &bar).await?;
    let before = usage()?.cpu;
    let written = bed.load.write_at(RATE, time, load::nps, &bar).await?;
    bed.sink
        .wait_for(seconds * per_second, DEADLINE, |_| ())
        .await;
    contestant.cpu += usage()?.cpu - before;
    bar.finish();
    let arrivals: HashMap<EventId, Instant> = bed
        .sink
        .take()
        .iter()
        .filter_map(|arrival| Some((arrival.event?, arrival.at)))
        .collect();
    for Written {
        event,
        at,
        acknowledged,
    } in written
    {
        contestant.acknowledged.push(milliseconds(at, acknowledged));
        contestant.arrived.push(milliseconds(at, arrivals[&event]));
    }
    Ok(())
}
