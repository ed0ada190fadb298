//! Two endpoints, of which one never answers: what the other one gets.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::EventId;
use e2e::Stack;

use crate::bed::Bed;
use crate::load;
use crate::peer::Running;
use crate::percentiles::{Sample, milliseconds};
use crate::report::{Section, short};
use crate::sink::Answer;
use crate::{Size, progress};

const RATE: u32 = 1_000;
const AT_ONCE: u32 = 64;
const GOOD: usize = 0;
const BAD: usize = 1;
/// How long after the last event arrivals still count.
const AFTER: Duration = Duration::from_secs(2);

pub(crate) async fn run(size: Size) -> anyhow::Result<Section> {
    let time = Duration::from_secs(size.of(20) as u64 + 3);
    let mut rows = Vec::new();
    for (name, is_ours, hangs) in [
        ("**dispatcher**", true, false),
        ("**dispatcher**, one hangs", true, true),
        ("afternoon's code", false, false),
        ("afternoon's code, one hangs", false, true),
    ] {
        let mut bed = Bed::new(Stack::builder(), Duration::ZERO).await?;
        if hangs {
            bed.sink.answer(BAD, Answer::Hangs);
        }
        let peer = if is_ours {
            bed.endpoints(GOOD..BAD + 1, "nps_calculated").await;
            bed.start_dispatcher().await;
            None
        } else {
            Some(Running::afternoon(&bed, AT_ONCE, GOOD..BAD + 1).await?)
        };
        rows.push(measure(&bed, name, time).await?);
        drop(peer);
    }
    Ok(Section::new("Hanging endpoint")
        .text(&format!(
            "{RATE} events a second for {} s, each for two endpoints. What the good one got until \
             {AFTER:?} after the last event, and how long after the writing.",
            time.as_secs()
        ))
        .table(&["", "of all events", "p50", "p99"], &rows))
}

async fn measure(bed: &Bed, name: &str, time: Duration) -> anyhow::Result<Vec<String>> {
    let count = usize::try_from(RATE)? * usize::try_from(time.as_secs())?;
    let bar = progress::bar(name, count);
    let written = bed.load.write_at(RATE, time, load::nps, &bar).await?;
    tokio::time::sleep(AFTER).await;
    bar.finish();
    let arrivals: HashMap<EventId, Instant> = bed
        .sink
        .take()
        .iter()
        .filter(|arrival| arrival.endpoint == GOOD)
        .filter_map(|arrival| Some((arrival.event?, arrival.at)))
        .collect();
    let times: Vec<f64> = written
        .iter()
        .filter_map(|event| Some(milliseconds(event.at, *arrivals.get(&event.event)?)))
        .collect();
    let share = format!("{:.1} %", 100.0 * times.len() as f64 / count as f64);
    let sample = Sample::new(times);
    let ms = |percent| format!("{} ms", short(sample.percentile(percent)));
    Ok(vec![name.to_owned(), share, ms(50), ms(99)])
}
