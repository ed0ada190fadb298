//! Two dispatchers with half a core each against one.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use e2e::{Binary, Service, Stack};
use indicatif::ProgressBar;

use crate::bed::Bed;
use crate::percentiles::Sample;
use crate::report::{Section, Target};
use crate::{Size, layout, load, progress};

const ROUNDS: usize = 3;
const LINGER: Duration = Duration::from_millis(5);
const DEADLINE: Duration = Duration::from_secs(120);
/// Of the scheduler, and half of it, in microseconds (man 7 cgroups, `cpu`).
const PERIOD: u32 = 20_000;
const QUOTA: u32 = PERIOD / 2;
/// The topics that dispatchers share, and their partitions.
const TOPICS: [(&str, f64); 8] = [
    ("feedback.events", 6.0),
    ("webhooks.ready", 24.0),
    ("webhooks.resend", 6.0),
    ("webhooks.retry.15s", 6.0),
    ("webhooks.retry.2m", 6.0),
    ("webhooks.retry.10m", 6.0),
    ("webhooks.retry.1h", 6.0),
    ("webhooks.retry.6h", 6.0),
];

pub(crate) async fn run(size: Size) -> anyhow::Result<Section> {
    let count = size.of(300_000);
    let bar = progress::bar("Scaling", 2 * count * ROUNDS);
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.push(measure(count, 1, &bar).await?);
        two.push(measure(count, 2, &bar).await?);
    }
    bar.finish();
    let (one, two) = (Sample::new(one), Sample::new(two));
    let row = |name: &str, sample: &Sample| {
        vec![
            name.to_owned(),
            format!("**{:.0}**", sample.percentile(50)),
            format!("{:.0} to {:.0}", sample.min(), sample.max()),
        ]
    };
    Ok(Section::new("Scaling")
        .text(&format!(
            "{count} events for one endpoint that answers at once, written while the dispatchers \
             run, each with a quota of half a core; both on the measured core. Counted is what \
             arrived after the last event was written. Each of two had half of the partitions of \
             each topic: that is waited for."
        ))
        .table(
            &["", "a second, median", "lowest to highest"],
            &[row("one", &one), row("two", &two)],
        )
        .targets(&[Target::at_least(
            "two, of one",
            two.percentile(50) / one.percentile(50),
            1.8,
        )]))
}

async fn measure(count: usize, dispatchers: usize, bar: &ProgressBar) -> anyhow::Result<f64> {
    let mut bed = Bed::new(Stack::builder(), LINGER).await?;
    bed.endpoints(0..1, "new_feedback").await;
    let mut members = Vec::new();
    for number in 0..dispatchers {
        let mut member = Service::spawn(Binary::Dispatcher, bed.stack.settings(Binary::Dispatcher));
        member.kill();
        member.pin(layout::MEASURED);
        member.restart().await;
        members.push((Half::of(&member, number)?, member));
    }
    for (topic, partitions) in TOPICS {
        let topic = bed.stack.name(topic);
        let name = format!("feedbackpro_dispatcher_partitions{{topic=\"{topic}\"}}");
        let share = partitions / dispatchers as f64;
        for (_, member) in &members {
            e2e::until(&format!("{topic} is shared"), DEADLINE, async || {
                (member.metric(&name).await == Some(share)).then_some(())
            })
            .await;
        }
    }
    bed.load
        .write_all(count, load::feedback, &ProgressBar::hidden())
        .await?;
    let written = Instant::now();
    let before = bar.position();
    let seen = |seen| bar.set_position(before + seen as u64);
    bed.sink.wait_for(count, DEADLINE, seen).await;
    let arrivals = bed.sink.take();
    let counted: Vec<_> = arrivals
        .iter()
        .filter(|arrival| arrival.at > written)
        .collect();
    let took = counted[counted.len() - 1].at - written;
    for (half, mut member) in members {
        layout::stop(&mut member).await;
        drop(half);
    }
    Ok(counted.len() as f64 / took.as_secs_f64())
}

/// A control group with half a core, for one process; removed when dropped,
/// after the process has ended.
struct Half(PathBuf);

impl Half {
    fn of(service: &Service, number: usize) -> anyhow::Result<Self> {
        let name = format!("feedbackpro-bench-{}-{number}", std::process::id());
        let (v1, v2) = (Path::new("/sys/fs/cgroup/cpu"), Path::new("/sys/fs/cgroup"));
        let (folder, limits) = if v1.join("cpu.cfs_quota_us").exists() {
            let limits = vec![
                ("cpu.cfs_period_us", PERIOD.to_string()),
                ("cpu.cfs_quota_us", QUOTA.to_string()),
            ];
            (v1.join(name), limits)
        } else {
            (
                v2.join(name),
                vec![("cpu.max", format!("{QUOTA} {PERIOD}"))],
            )
        };
        let wrong = "a CPU quota needs root and the `cpu` controller of control groups";
        std::fs::create_dir(&folder).context(wrong)?;
        let half = Self(folder);
        for (file, value) in limits {
            std::fs::write(half.0.join(file), value).context(wrong)?;
        }
        std::fs::write(half.0.join("cgroup.procs"), service.pid().to_string()).context(wrong)?;
        Ok(half)
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        // It may be busy for a moment after its process has ended.
        std::fs::remove_dir(&self.0).ok();
    }
}
