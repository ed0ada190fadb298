//! A receiver that takes its time: how well the waiting overlaps.

use std::time::Duration;

use e2e::Stack;
use indicatif::ProgressBar;

use crate::bed::{self, Bed};
use crate::load;
use crate::peer::Running;
use crate::percentiles::Sample;
use crate::report::{Section, Target, short};
use crate::sink::Answer;
use crate::{Size, progress};

const ANSWERS_AFTER: Duration = Duration::from_millis(50);
const AT_ONCE: u32 = 1_000;
const ROUNDS: usize = 3;
const LINGER: Duration = Duration::from_millis(5);
const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) async fn run(size: Size) -> anyhow::Result<Section> {
    let count = size.of(20_000);
    let bar = progress::bar("Slow receiver", count * ROUNDS * 2);
    let (mut ours, mut afternoon) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let builder = bed::limit(Stack::builder(), AT_ONCE);
        let mut bed = Bed::new(builder, LINGER).await?;
        bed.endpoints(0..1, "new_feedback").await;
        bed.sink.answer(0, Answer::After(ANSWERS_AFTER));
        // One customer: one partition.
        bed.load
            .write_all(count, |_| load::feedback_of(1), &ProgressBar::hidden())
            .await?;
        bed.start_dispatcher().await;
        ours.push(bed.drained(count, DEADLINE, &bar).await.as_secs_f64());
        bed.stop_dispatcher().await;

        let running = Running::afternoon(&bed, AT_ONCE, 0..1).await?;
        afternoon.push(bed.drained(count, DEADLINE, &bar).await.as_secs_f64());
        running.kill()?;
    }
    bar.finish();
    let (ours, afternoon) = (Sample::new(ours), Sample::new(afternoon));
    let row = |name: &str, sample: &Sample| {
        let range = format!("{} to {} s", short(sample.min()), short(sample.max()));
        let median = format!("**{} s**", short(sample.percentile(50)));
        vec![name.to_owned(), median, range]
    };
    Ok(Section::new("Slow receiver")
        .text(&format!(
            "{count} waiting records of one partition for an endpoint that answers after \
             {ANSWERS_AFTER:?}, {AT_ONCE} attempts at once: {} s if nothing else took time. From \
             the first to the last arrival.",
            short(count as f64 / f64::from(AT_ONCE) * ANSWERS_AFTER.as_secs_f64())
        ))
        .table(
            &["", "median", "lowest to highest"],
            &[
                row("**dispatcher**", &ours),
                row("afternoon's code", &afternoon),
            ],
        )
        .targets(&[Target::at_most("seconds", ours.percentile(50), 1.2)]))
}
