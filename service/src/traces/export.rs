//! The thread that sends spans.

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::collector::Collector;
use super::{Queue, SpanCounters, Tracer};
use crate::settings::{CollectorUrl, SettingsError};

/// Spans that wait, about 1 KiB each.
const MOST_WAITING: usize = 4_096;
/// Spans of one POST, as the SDKs of OpenTelemetry have it.
const BATCH: usize = 512;
/// How long the first span of a batch waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// How long one batch is tried, pauses between tries with it.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a stop waits for what was not sent yet.
const MOMENT: Duration = Duration::from_secs(1);

/// Why spans cannot be exported at all.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting, or a variable of OpenTelemetry, cannot be used (exit 64).
    #[error("the settings cannot be used")]
    Settings(#[from] SettingsError),
    /// The thread cannot be started.
    #[error("the thread that exports traces cannot be started: {0}")]
    Thread(#[from] io::Error),
}

/// The export of spans, until it is stopped.
#[derive(Debug)]
#[must_use = "spans that wait are lost unless this is stopped"]
pub struct Exporting(Option<Running>);

#[derive(Debug)]
struct Running {
    thread: JoinHandle<()>,
    ended: oneshot::Receiver<()>,
    /// Sends what waits, and ends.
    finish: CancellationToken,
    /// Ends at once.
    abandon: CancellationToken,
}

/// Starts the export of `service`'s spans to the collector, where there is one. A collector
/// that is away is no error: spans are dropped until it answers.
///
/// `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_RESOURCE_ATTRIBUTES` hold as for every OpenTelemetry
/// exporter.
///
/// # Errors
/// See [`StartError`].
pub fn start(
    service: &'static str,
    url: &CollectorUrl,
    counters: SpanCounters,
) -> Result<(Tracer, Exporting), StartError> {
    let Some(url) = url.traces() else {
        return Ok((Tracer::off(), Exporting(None)));
    };
    let wrong = |error: &dyn std::fmt::Display| {
        SettingsError::new(
            "traces.endpoint",
            &url,
            format!("what can be used ({error})"),
        )
    };
    let collector = Collector::new(&url).map_err(|error| wrong(&error))?;
    let exporter = exporter(service, &url.to_string(), collector).map_err(|error| wrong(&error))?;

    let (spans, waiting) = mpsc::channel(MOST_WAITING);
    let (end, ended) = oneshot::channel();
    let (finish, abandon) = (CancellationToken::new(), CancellationToken::new());
    let tracer = Tracer::on(Queue {
        spans,
        dropped: counters.dropped.clone(),
        scope: InstrumentationScope::builder("feedbackpro").build(),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let work = {
        let (finish, abandon) = (finish.clone(), abandon.clone());
        async move {
            let export = export(exporter, waiting, counters, finish);
            abandon.run_until_cancelled(export).await;
        }
    };
    let thread = std::thread::Builder::new()
        .name("traces".to_owned())
        .spawn(move || {
            runtime.block_on(work);
            // A name that is still looked up is not waited for.
            runtime.shutdown_background();
            drop(end);
        })?;
    let running = Running {
        thread,
        ended,
        finish,
        abandon,
    };
    Ok((tracer, Exporting(Some(running))))
}

fn exporter(
    service: &'static str,
    url: &str,
    collector: Collector,
) -> Result<SpanExporter, ExporterBuildError> {
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(collector)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(url)
        .with_timeout(TIMEOUT)
        .build()?;
    let resource = Resource::builder()
        .with_service_name(service)
        .with_attributes([
            KeyValue::new("service.namespace", "feedbackpro"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .build();
    exporter.set_resource(&resource);
    Ok(exporter)
}

/// Sends batches until `finish`, and then what is left.
async fn export(
    exporter: SpanExporter,
    mut spans: mpsc::Receiver<SpanData>,
    counters: SpanCounters,
    finish: CancellationToken,
) {
    loop {
        let mut batch = Vec::new();
        let first = finish
            .run_until_cancelled(spans.recv_many(&mut batch, BATCH))
            .await;
        if first.is_none() {
            spans.close();
            spans.recv_many(&mut batch, BATCH).await;
        } else {
            gather(&mut spans, &mut batch, &finish).await;
        }
        if batch.is_empty() {
            return;
        }
        let count = batch.len() as u64;
        // The collector's client says why.
        match exporter.export(batch).await {
            Ok(()) => counters.exported.inc_by(count),
            Err(_) => counters.dropped.inc_by(count),
        }
    }
}

/// Waits a moment until the batch is full.
async fn gather(
    spans: &mut mpsc::Receiver<SpanData>,
    batch: &mut Vec<SpanData>,
    finish: &CancellationToken,
) {
    let until = Instant::now() + GATHER;
    while batch.len() < BATCH {
        let room = BATCH - batch.len();
        tokio::select! {
            more = spans.recv_many(batch, room) => if more == 0 { return },
            () = sleep_until(until) => return,
            () = finish.cancelled() => return,
        }
    }
}

impl Exporting {
    /// Sends what waits, for a moment, and ends the thread.
    pub async fn stop(self) {
        let Some(running) = self.0 else { return };
        running.finish.cancel();
        let mut ended = running.ended;
        if timeout(MOMENT, &mut ended).await.is_err() {
            tracing::warn!("the collector did not take the last spans in time: they are dropped");
            running.abandon.cancel();
            // It ends with its next look at this.
            ended.await.ok();
        }
        if running.thread.join().is_err() {
            tracing::error!("the thread that exports traces panicked");
        }
    }
}
