//! The span of an event: from the hand-over to the acknowledgement.

use domain::{EventId, EventKind};
use service::traces::{Span, SpanKind, TraceContext, Tracer};

/// Begins the spans of events.
#[derive(Debug)]
pub(crate) struct EventTraces {
    tracer: Tracer,
    /// The share of events without a trace of their caller that begin one, 0 to 1.
    sampled: f64,
    topic: String,
}

impl EventTraces {
    pub(crate) const fn new(tracer: Tracer, sampled: f64, topic: String) -> Self {
        Self {
            tracer,
            sampled,
            topic,
        }
    }

    /// The trace that an event goes on with, below its caller's or new, and the
    /// event's span where it is exported.
    pub(crate) fn begin(
        &self,
        caller: Option<TraceContext>,
        id: EventId,
        kind: EventKind,
    ) -> (TraceContext, Option<Span>) {
        const NAME: &str = "send feedback.events";
        let (trace, mut span) = match caller {
            Some(caller) => {
                let span = self.tracer.child(|| Some(caller), SpanKind::Producer, NAME);
                (span.as_ref().map_or(caller, Span::context), span)
            }
            None => self.tracer.root(self.sampled, SpanKind::Producer, NAME),
        };
        if let Some(span) = &mut span {
            span.set("messaging.system", "kafka");
            span.set("messaging.operation.name", "send");
            span.set("messaging.operation.type", "send");
            span.set("messaging.destination.name", self.topic.clone());
            span.set("messaging.message.id", id.to_string());
            span.set("feedbackpro.event", kind.as_str());
        }
        (trace, span)
    }
}

/// Ends the span of an event that Kafka has, or has not.
pub(crate) fn end(span: Option<Span>, error: Option<&'static str>) {
    let Some(mut span) = span else { return };
    if let Some(error) = error {
        span.set("error.type", error);
        span.fail();
    }
    span.end();
}
