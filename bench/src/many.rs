//! A backlog that is waiting for many endpoints, which all answer at once: how
//! many they are is to cost nothing.

use std::time::Duration;

use e2e::{Broker, Stack};

use crate::bed::Bed;
use crate::figures::Run;
use crate::report::{Section, short};
use crate::{Size, load, progress};

/// An event for more endpoints goes through `webhooks.ready` in any case.
const ENDPOINTS: [usize; 4] = [1, 7, 20, 30];
const LINGER: Duration = Duration::from_millis(5);
const DEADLINE: Duration = Duration::from_secs(120);

pub(crate) async fn run(size: Size) -> anyhow::Result<Section> {
    let deliveries = size.of(280_000);
    let mut rows = Vec::new();
    for endpoints in ENDPOINTS {
        let mut bed = Bed::new(Stack::builder(), LINGER).await?;
        let run = drain(&mut bed, endpoints, deliveries / endpoints).await?;
        let ready = bed.stack.name("webhooks.ready");
        let set_aside = Broker::shared().await.read(&ready).await.len();
        rows.push(vec![
            endpoints.to_string(),
            format!("{:.0}", run.rate),
            short(run.cpu),
            format!("{:.0} MiB", run.peak_mib),
            set_aside.to_string(),
        ]);
    }
    Ok(Section::new("Backlog for many")
        .text(&format!(
            "{deliveries} waiting deliveries, for so many endpoints that answer at once and get \
             the same events; limits as they are by default. One round each; the rate is that of \
             the middle half, the CPU time from the process's start. Set aside is what was written \
             to `webhooks.ready`."
        ))
        .table(
            &[
                "endpoints",
                "deliveries a second",
                "CPU-s per 1 000",
                "peak memory",
                "set aside",
            ],
            &rows,
        ))
}

/// Has a backlog of so many events delivered to each of so many endpoints. The rate is
/// that of the middle half: at first limits rise, at last lanes run dry.
pub(crate) async fn drain(bed: &mut Bed, endpoints: usize, events: usize) -> anyhow::Result<Run> {
    bed.endpoints(0..endpoints, "nps_calculated").await;
    let bar = progress::bar(&format!("Backlog, {endpoints} endpoints"), events);
    bed.load.write_all(events, load::nps, &bar).await?;
    bar.finish();
    bed.start_dispatcher().await;
    let all = events * endpoints;
    bed.sink.wait_for(all, DEADLINE, |_| ()).await;
    let arrivals = bed.sink.take();
    let usage = bed.usage()?;
    bed.stop_dispatcher().await;
    let (from, to) = (all / 4, all * 3 / 4);
    let rate = (to - from) as f64 / (arrivals[to].at - arrivals[from].at).as_secs_f64();
    Ok(Run::new(all, rate, usage))
}
