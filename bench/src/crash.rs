//! SIGKILL in the middle of a backlog: what is lost, and what is sent again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::EventId;
use e2e::Stack;
use indicatif::ProgressBar;

use crate::bed::{self, Bed};
use crate::load;
use crate::peer::Running;
use crate::report::{Section, Target};
use crate::sink::{Answer, Arrival};
use crate::{Size, progress};

const ANSWERS_AFTER: Duration = Duration::from_millis(20);
const AT_ONCE: u32 = 64;
const LINGER: Duration = Duration::from_millis(5);
const DEADLINE: Duration = Duration::from_secs(120);
/// When nothing has come for this long, nothing comes any more: a group's
/// session ends before.
const SILENCE: Duration = Duration::from_secs(20);

pub(crate) async fn run(size: Size) -> anyhow::Result<Section> {
    let count = size.of(50_000);
    let bar = progress::bar("kill -9", 2 * count);
    let mut bed = new_bed(count).await?;
    bed.endpoints(0..1, "new_feedback").await;
    bed.start_dispatcher().await;
    bed.sink.wait_for(count / 2, DEADLINE, |_| ()).await;
    bed.stack.dispatcher.kill();
    let killed = Instant::now();
    bed.start_dispatcher().await;
    let ours = Counts::of(&until_silence(&bed, &bar).await, count, killed);
    bed.stop_dispatcher().await;

    let bed = new_bed(count).await?;
    let running = Running::afternoon(&bed, AT_ONCE, 0..1).await?;
    bed.sink.wait_for(count / 2, DEADLINE, |_| ()).await;
    running.kill()?;
    let killed = Instant::now();
    let running = Running::afternoon(&bed, AT_ONCE, 0..1).await?;
    let afternoon = Counts::of(&until_silence(&bed, &bar).await, count, killed);
    running.kill()?;
    bar.finish();

    let row = |name: &str, counts: &Counts| {
        vec![
            name.to_owned(),
            counts.lost.to_string(),
            counts.again.to_string(),
            format!("{:.1} s", counts.pause.as_secs_f64()),
        ]
    };
    Ok(Section::new("Kill -9")
        .text(&format!(
            "{count} waiting records for an endpoint that answers after {ANSWERS_AFTER:?}, \
             {AT_ONCE} attempts at once. Killed after half of them and started again at once. \
             Sent again may be what was in flight ({AT_ONCE}) and a quarter of a second of \
             throughput ({}).",
            ours.quarter
        ))
        .table(
            &["", "lost", "sent again", "nothing arrived for"],
            &[
                row("**dispatcher**", &ours),
                row("afternoon's code", &afternoon),
            ],
        )
        .targets(&[
            Target::at_most("lost", ours.lost as f64, 0.0),
            Target::at_most(
                "sent again",
                ours.again as f64,
                f64::from(AT_ONCE) + ours.quarter as f64,
            ),
        ]))
}

async fn new_bed(count: usize) -> anyhow::Result<Bed> {
    let bed = Bed::new(bed::limit(Stack::builder(), AT_ONCE), LINGER).await?;
    bed.sink.answer(0, Answer::After(ANSWERS_AFTER));
    bed.load
        .write_all(count, load::feedback, &ProgressBar::hidden())
        .await?;
    Ok(bed)
}

/// All arrivals, once no more come.
async fn until_silence(bed: &Bed, bar: &ProgressBar) -> Vec<Arrival> {
    let (mut seen, mut since) = (0, Instant::now());
    while since.elapsed() < SILENCE {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = bed.sink.count();
        if now > seen {
            bar.inc((now - seen) as u64);
            (seen, since) = (now, Instant::now());
        }
    }
    bed.sink.take()
}

struct Counts {
    lost: usize,
    again: usize,
    /// The arrivals of a quarter of a second, before the kill.
    quarter: usize,
    /// The longest time without an arrival after it.
    pause: Duration,
}

impl Counts {
    fn of(arrivals: &[Arrival], count: usize, killed: Instant) -> Self {
        let mut times: HashMap<EventId, usize> = HashMap::new();
        for event in arrivals.iter().filter_map(|arrival| arrival.event) {
            *times.entry(event).or_default() += 1;
        }
        let from = killed - Duration::from_millis(1250);
        let before = arrivals
            .iter()
            .filter(|arrival| (from..from + Duration::from_secs(1)).contains(&arrival.at))
            .count();
        let pauses = arrivals
            .windows(2)
            .filter(|pair| pair[1].at > killed)
            .map(|pair| pair[1].at - pair[0].at);
        Self {
            lost: count - times.len(),
            again: arrivals.len() - times.len(),
            quarter: before / 4,
            pause: pauses.max().unwrap_or_default(),
        }
    }
}
