//! Traces: spans go to an OTLP/HTTP collector where the settings name one.
//!
//! Who works never waits for the collector: a finished span goes into a bounded queue, and
//! what has no room is dropped and counted. A thread of its own sends them ([`start`]).
//! Without a collector a [`Tracer`] begins no span, and costs one look at an `Option`.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use prometheus::IntCounter;
use tokio::sync::mpsc;

mod collector;
mod context;
mod export;

pub use context::TraceContext;
pub use export::{Exporting, StartError, start};
pub use opentelemetry::Value;
pub use opentelemetry::trace::SpanKind;

/// What became of spans, in a binary's table of metrics.
#[derive(Debug, Clone)]
pub struct SpanCounters {
    /// The collector has them.
    pub exported: IntCounter,
    /// There was no room in the queue, or the collector did not take them.
    pub dropped: IntCounter,
}

/// Begins spans. Clones share the queue.
#[derive(Debug, Clone)]
pub struct Tracer(Option<Arc<Queue>>);

#[derive(Debug)]
struct Queue {
    spans: mpsc::Sender<SpanData>,
    dropped: IntCounter,
    scope: InstrumentationScope,
}

/// A span that has begun. Dropped without [`Span::end`] it is not exported.
#[derive(Debug)]
#[must_use = "a span that is not ended is not exported"]
pub struct Span {
    data: Box<SpanData>,
    queue: Arc<Queue>,
}

impl Tracer {
    /// One that begins no span.
    #[must_use]
    pub const fn off() -> Self {
        Self(None)
    }

    fn on(queue: Queue) -> Self {
        Self(Some(Arc::new(queue)))
    }

    /// Begins a span below what `parent` gives; it is asked only where spans are exported.
    /// `None` where there is no parent or it is not sampled: then those who are called get the
    /// parent as it is.
    pub fn child(
        &self,
        parent: impl FnOnce() -> Option<TraceContext>,
        kind: SpanKind,
        name: &'static str,
    ) -> Option<Span> {
        let queue = self.0.as_ref()?;
        let parent = parent().filter(|parent| parent.is_sampled())?;
        let span = parent.child();
        Some(Span::begin(queue, span, Some(parent.span()), kind, name))
    }

    /// Begins a trace, and its first span for a share of them: `sampled` from 0 to 1.
    pub fn root(
        &self,
        sampled: f64,
        kind: SpanKind,
        name: &'static str,
    ) -> (TraceContext, Option<Span>) {
        let trace = TraceContext::random();
        let chosen = |_: &&Arc<Queue>| trace.share() < sampled;
        let Some(queue) = self.0.as_ref().filter(chosen) else {
            return (trace, None);
        };
        let trace = trace.sampled();
        (trace, Some(Span::begin(queue, trace, None, kind, name)))
    }
}

impl Span {
    fn begin(
        queue: &Arc<Queue>,
        context: TraceContext,
        parent: Option<u64>,
        kind: SpanKind,
        name: &'static str,
    ) -> Self {
        let now = SystemTime::now();
        let data = SpanData {
            span_context: SpanContext::new(
                TraceId::from_bytes(context.trace().to_be_bytes()),
                SpanId::from_bytes(context.span().to_be_bytes()),
                TraceFlags::new(context.flags()),
                false,
                TraceState::NONE,
            ),
            parent_span_id: SpanId::from_bytes(parent.unwrap_or(0).to_be_bytes()),
            parent_span_is_remote: parent.is_some(),
            span_kind: kind,
            name: Cow::Borrowed(name),
            start_time: now,
            end_time: now,
            attributes: Vec::with_capacity(12),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: queue.scope.clone(),
        };
        Self {
            data: Box::new(data),
            queue: Arc::clone(queue),
        }
    }

    /// What those who are called for it are told.
    #[must_use]
    pub fn context(&self) -> TraceContext {
        let context = &self.data.span_context;
        TraceContext::new(
            u128::from_be_bytes(context.trace_id().to_bytes()),
            u64::from_be_bytes(context.span_id().to_bytes()),
            context.trace_flags().to_u8(),
        )
    }

    /// Adds an attribute, named as OpenTelemetry's semantic conventions have it where they do.
    /// Never what a person wrote, a secret, or a URL's path or query.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.data.attributes.push(KeyValue::new(name, value));
    }

    /// What it stands for has failed; the attributes say why.
    pub fn fail(&mut self) {
        self.data.status = Status::error("");
    }

    /// It ends now.
    pub fn end(mut self) {
        self.data.end_time = SystemTime::now();
        self.queue.take(*self.data);
    }

    /// It has ended so long after its begin.
    pub fn end_after(mut self, took: Duration) {
        self.data.end_time = self.data.start_time + took;
        self.queue.take(*self.data);
    }
}

impl Queue {
    fn take(&self, span: SpanData) {
        if self.spans.try_send(span).is_err() {
            self.dropped.inc();
        }
    }
}
