//! The span of an attempt: below its event's, in the trace that began at the
//! ingest, whichever topic the delivery came by.

use delivery::{Attempt, Target};
use domain::{Cause, Next};
use service::traces::{Span, SpanKind, TraceContext, Tracer, Value};

use crate::work::Delivery;

/// Begins the span of an attempt, where the event's trace is sampled.
pub(crate) fn begin(tracer: &Tracer, delivery: &Delivery) -> Option<Span> {
    let event = || TraceContext::parse(delivery.event.headers.traceparent.as_deref()?);
    let mut span = tracer.child(event, SpanKind::Client, "POST")?;
    let attempt = i64::from(delivery.state.attempt);
    span.set("http.request.method", "POST");
    if attempt > 1 {
        span.set("http.request.resend_count", attempt - 1);
    }
    span.set(
        "messaging.message.id",
        delivery.event.headers.id.to_string(),
    );
    span.set("feedbackpro.event", delivery.event.headers.kind.as_str());
    span.set("feedbackpro.delivery.id", delivery.id().to_string());
    span.set(
        "feedbackpro.endpoint.id",
        delivery.state.endpoint.to_string(),
    );
    span.set("feedbackpro.attempt", attempt);
    Some(span)
}

/// Ends it with what the attempt ended with and what becomes of the delivery.
/// Of the URL only host and port: its path may be a secret.
pub(crate) fn end(span: Option<Span>, target: Option<&Target>, attempt: &Attempt, next: Next) {
    let Some(mut span) = span else { return };
    if let Some(target) = target {
        span.set("server.address", target.host().to_owned());
        span.set("server.port", i64::from(target.port()));
    }
    let status = attempt.outcome.status().map(i64::from);
    if let Some(status) = status {
        span.set("http.response.status_code", status);
    }
    if let Some(cause) = attempt.outcome.cause() {
        span.set("feedbackpro.cause", cause.as_str());
        let error = status.filter(|_| cause == Cause::Status);
        let error = error.map_or_else(|| Value::from(cause.as_str()), |it| it.to_string().into());
        span.set("error.type", error);
        span.fail();
    }
    span.set("feedbackpro.next", next_name(next));
    span.end_after(attempt.took);
}

/// As in the metric `attempts_total`.
pub(crate) const fn next_name(next: Next) -> &'static str {
    match next {
        Next::Delivered => "delivered",
        Next::Retry(_) => "retry",
        Next::DeadLetter(_) => "dead_letter",
    }
}
