//! The console with a full index and a long failed list, while attempts go on:
//! each page, how far the index is behind, and its memory.

mod attempts;
mod pages;
mod topics;

use std::rc::Rc;
use std::time::{Duration, Instant};

use domain::{AccountId, EndpointId, Timestamp};
use e2e::settings::tokens;
use e2e::{Binary, Service, Stack, until};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::Method;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::percentiles::{Sample, milliseconds};
use crate::report::{Section, Target, short};
use crate::{Size, layout, process, progress};
use attempts::Attempts;
use pages::{Subjects, Visitor};
use topics::Writer;

/// The account of the test bed's first token.
const ACCOUNT: &str = "shop";
/// Each page is asked for so often.
const VISITS: usize = 100;
/// Attempts that are written each second meanwhile, and how often.
const RATE: usize = 5_000;
const EVERY: Duration = Duration::from_millis(100);
/// The list's page that is so many pages down.
const FAR: usize = 20;
/// Changes that a follower is told of, one after the other.
const CHANGES: usize = 20;
const DEADLINE: Duration = Duration::from_secs(300);

pub(crate) async fn run(size: Size) -> anyhow::Result<Section> {
    let [attempts, endpoints, failed] = [1_000_000, 1_000, 100_000].map(|all| size.of(all));
    let mut stack = Stack::builder().start().await;
    layout::stop(&mut stack.dispatcher).await;
    layout::stop(&mut stack.producer).await;
    let ids = create_endpoints(&stack, endpoints).await?;
    layout::stop(&mut stack.console).await;

    let account: AccountId = ACCOUNT.parse()?;
    let writer = Writer::open(&stack.prefix, account.clone()).await?;
    let bar = progress::bar("Attempts written", attempts);
    let mut load = Attempts::new(account, ids.clone(), attempts, Timestamp::now());
    writer
        .attempts(load.by_ref().take(attempts).inspect(|_| bar.inc(1)))
        .await?;
    let delivery = writer.waiting(ids[0]).await?;
    bar.finish();
    let bar = progress::bar("Failed deliveries written", failed);
    let entry = writer.failed(failed, &ids, || bar.inc(1)).await?;
    bar.finish();

    let list = stack.dlq_consumer.url("");
    stack.console.change(|settings| {
        let settings = settings.set("session.allow_plain_http_on_loopback", true);
        settings.set("failed.url", list)
    });
    let begun = Instant::now();
    layout::start_measured(&mut stack.console).await;
    let mut taken = attempts + 2;
    has_taken(&stack.console, taken).await;
    let built = begun.elapsed();
    until("all are on the failed list", DEADLINE, async || {
        let listed = stack.client.failed_count("").await;
        (listed >= failed as u64).then_some(())
    })
    .await;

    let shop = Visitor::signed_in(&stack.client, tokens::SHOP).await?;
    let operator = Visitor::signed_in(&stack.client, tokens::OPERATOR).await?;
    let mut pages = Subjects {
        endpoint: ids[0],
        delivery,
        failed: entry,
    }
    .pages();
    for (name, path) in [
        ("deliveries, page 21", "/deliveries"),
        ("failed, page 21", "/failed"),
    ] {
        pages.push((
            name,
            shop.far_down(path, if size.small { 1 } else { FAR })
                .await?,
        ));
    }
    let bar = progress::bar("Pages", pages.len() * 2 * VISITS);
    let (stop, stopped) = watch::channel(());
    let writer = Rc::new(writer);
    let going_on = tokio::task::spawn_local(go_on(Rc::clone(&writer), load, stopped));
    let mut rows = Vec::new();
    let mut slowest: f64 = 0.0;
    for (name, path) in &pages {
        let (own, bytes) = shop.times(path, VISITS, &bar).await?;
        let (all, _) = operator.times(path, VISITS, &bar).await?;
        slowest = slowest.max(own.percentile(99)).max(all.percentile(99));
        rows.push(row(name, &own, &all, bytes));
    }
    bar.finish();
    drop(stop);
    taken += going_on.await??;
    let written = Instant::now();
    has_taken(&stack.console, taken).await;
    let behind = written.elapsed();
    let told = told_after(&stack, &writer, delivery.endpoint).await?;

    let memory = |service: &Service| anyhow::Ok(process::usage(service.pid())?.peak_mib);
    let (console, dlq_consumer) = (memory(&stack.console)?, memory(&stack.dlq_consumer)?);
    Ok(Section::new("Console")
        .text(&format!(
            "{endpoints} endpoints of one account, {attempts} attempts in the index, {failed} \
             entries on the failed list, and {RATE} attempts a second that go on meanwhile. Each \
             page {VISITS} times by somebody of the account and by an operator, from the request \
             to the last byte, in ms. The console has its core alone; dlq-consumer, which has \
             the failed list, shares the other one with broker and load."
        ))
        .table(
            &["", "account p50", "p99", "operator p50", "p99", "KiB"],
            &rows,
        )
        .text(&format!(
            "The index of {attempts} attempts was made anew within {} s of the start. From the \
             writing of an attempt to the event that tells an open page of it: p50 {} ms, the \
             longest of {CHANGES} {} ms (a batch is written each quarter of a second, and changes are told twice a second \
             at most).",
            short(built.as_secs_f64()),
            short(told.percentile(50)),
            short(told.max()),
        ))
        .targets(&[
            Target::at_most("p99 of the slowest page, ms", slowest, 50.0),
            Target::at_most(
                "index behind its topic at the end, s",
                behind.as_secs_f64(),
                1.0,
            ),
            Target::at_most("peak memory of the console, MiB", console, 300.0),
            Target::at_most("peak memory of dlq-consumer, MiB", dlq_consumer, 300.0),
        ]))
}

async fn create_endpoints(stack: &Stack, count: usize) -> anyhow::Result<Vec<EndpointId>> {
    let bar = progress::bar("Endpoints", count);
    let create = async |number: usize| {
        // Nothing is ever sent there.
        let url = format!("http://127.0.0.1:9/hook/{number}");
        let events = [
            "new_feedback",
            "rating_submitted",
            "nps_calculated",
            "widget_dismissed",
        ];
        let endpoint = stack.client.create_endpoint(&url, &events).await;
        bar.inc(1);
        anyhow::Ok(endpoint.id.parse::<EndpointId>()?)
    };
    let ids = stream::iter(0..count).map(create).buffer_unordered(8);
    let ids = ids.try_collect().await;
    bar.finish();
    ids
}

async fn has_taken(console: &Service, attempts: usize) {
    until("the index holds all attempts", DEADLINE, async || {
        let name = "feedbackpro_console_attempts_indexed_total";
        let taken = console.metric(name).await;
        taken.filter(|taken| *taken >= attempts as f64)
    })
    .await;
}

/// Attempts of now, until it is to stop; how many.
async fn go_on(
    writer: Rc<Writer>,
    mut load: Attempts,
    mut stopped: watch::Receiver<()>,
) -> anyhow::Result<usize> {
    let each = RATE * usize::try_from(EVERY.as_millis())? / 1_000;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut written = 0;
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            _ = ticks.tick() => {}
        }
        writer.attempts(load.live(each)).await?;
        written += each;
    }
    writer.flush().await?;
    Ok(written)
}

/// From the writing of an attempt to the event of `/changes`, in milliseconds.
async fn told_after(
    stack: &Stack,
    writer: &Writer,
    endpoint: EndpointId,
) -> anyhow::Result<Sample> {
    let changes = stack
        .client
        .request(Binary::Console, Method::GET, "/api/v1/changes");
    let mut changes = changes.send().await?;
    let mut times = Vec::with_capacity(CHANGES);
    // The first event comes at once, for what was before.
    told(&mut changes).await?;
    for _ in 0..CHANGES {
        let begun = Instant::now();
        writer.waiting(endpoint).await?;
        told(&mut changes).await?;
        times.push(milliseconds(begun, Instant::now()));
    }
    Ok(Sample::new(times))
}

/// Waits for one event of a stream.
async fn told(changes: &mut reqwest::Response) -> anyhow::Result<()> {
    while let Some(part) = changes.chunk().await? {
        // Comments keep the connection alive.
        if part.starts_with(b"event") {
            return Ok(());
        }
    }
    anyhow::bail!("the stream has ended")
}

fn row(name: &str, own: &Sample, all: &Sample, bytes: usize) -> Vec<String> {
    let ms = |sample: &Sample, percent| short(sample.percentile(percent));
    vec![
        name.to_owned(),
        ms(own, 50),
        format!("**{}**", ms(own, 99)),
        ms(all, 50),
        format!("**{}**", ms(all, 99)),
        (bytes / 1024).to_string(),
    ]
}
