//! Traces, as a collector gets them: one shows an event from the ingest to its
//! last attempt. Who has no collector, or a dead one, delivers all the same.

use std::time::Duration;

use e2e::client::send;
use e2e::{Answer, Binary, Receiver, Signal, Stack, StackBuilder, events, free_port, until};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;
use reqwest::Method;

const SOON: Duration = Duration::from_secs(30);
const RATING: &[&str] = &["rating_submitted"];
const CALLER: &str = "00f067aa0ba902b7";

/// A span with the name of its service.
#[derive(Debug, Clone)]
struct Span {
    service: String,
    span: opentelemetry_proto::tonic::trace::v1::Span,
}

impl Span {
    fn trace(&self) -> String {
        hex(&self.span.trace_id)
    }

    fn id(&self) -> String {
        hex(&self.span.span_id)
    }

    fn parent(&self) -> String {
        hex(&self.span.parent_span_id)
    }

    fn get(&self, name: &str) -> String {
        value(&self.span.attributes, name)
    }

    fn has_failed(&self) -> bool {
        let status = self.span.status.as_ref();
        status.is_some_and(|status| status.code() == StatusCode::Error)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An attribute as text; "" where there is none.
fn value(attributes: &[KeyValue], name: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == name);
    match found.and_then(|found| found.value.clone()?.value) {
        Some(any_value::Value::StringValue(text)) => text,
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(other) => panic!("{name} is {other:?}"),
        None => String::new(),
    }
}

/// All spans that came so far, in the order of their begin.
fn spans(collector: &Receiver) -> Vec<Span> {
    let posts = collector.look(|log| log.all().to_vec());
    let mut spans = Vec::new();
    for post in posts {
        assert_eq!(post.path, "/v1/traces");
        assert_eq!(post.header("content-type"), "application/x-protobuf");
        let sent = ExportTraceServiceRequest::decode(post.body.clone()).expect("it is OTLP");
        for of_service in sent.resource_spans {
            let resource = of_service.resource.expect("it is named");
            let service = value(&resource.attributes, "service.name");
            let all = of_service.scope_spans.into_iter().flat_map(|it| it.spans);
            spans.extend(all.map(|span| Span {
                service: service.clone(),
                span,
            }));
        }
    }
    spans.sort_by_key(|span| span.span.start_time_unix_nano);
    spans
}

async fn wait_for_spans(collector: &Receiver, count: usize) -> Vec<Span> {
    until(&format!("{count} spans"), SOON, async || {
        let spans = spans(collector);
        (spans.len() >= count).then_some(spans)
    })
    .await
}

fn exporting(producer: &str, dispatcher: &str) -> StackBuilder {
    Stack::builder()
        .set(Binary::Producer, "traces.endpoint", producer)
        .set(Binary::Producer, "traces.sampled", 1.0)
        .set(Binary::Dispatcher, "traces.endpoint", dispatcher)
}

async fn post(stack: &Stack, traceparent: &str) -> String {
    let client = &stack.client;
    let request = client.request(Binary::Producer, Method::POST, "/v1/events");
    let request = request.header("traceparent", traceparent);
    let reply = send(request.json(&events::rating_submitted(2))).await;
    let id = reply.expect(202).json()["id"].as_str().map(str::to_owned);
    id.expect("it has an id")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_shows_the_ingest_and_each_attempt_over_retries_and_a_resend() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let (receiver, collector) = (Receiver::start(), Receiver::start());
    receiver.answer("/hook", Answer::failing(2, 503));
    let url = collector.url("");
    let stack = exporting(&url, &url).schedule(&["1s"]).start().await;
    let client = &stack.client;
    let endpoint = client
        .create_endpoint(&receiver.url("/hook/sesame?open=sesame"), RATING)
        .await;

    let event = post(&stack, &format!("00-{TRACE}-{CALLER}-01")).await;
    let delivery = format!("{event}.{}", endpoint.id);
    drop(client.wait_for_failed(1, SOON).await);
    client.resend(&delivery).await;
    let requests = receiver.wait_for_count("/hook", 3, SOON).await;

    let spans = wait_for_spans(&collector, 4).await;
    let [ingest, attempts @ ..] = spans.as_slice() else {
        panic!("{spans:?}");
    };
    assert_eq!(ingest.service, "producer");
    assert_eq!(ingest.span.kind(), SpanKind::Producer);
    assert_eq!(ingest.trace(), TRACE);
    assert_eq!(ingest.parent(), CALLER);
    assert_eq!(ingest.get("messaging.message.id"), event);
    assert_eq!(
        ingest.get("messaging.destination.name"),
        stack.name("feedback.events")
    );
    assert!(!ingest.has_failed());

    assert_eq!(attempts.len(), 3);
    let expected = [
        ("1", "", "503", "status", "retry"),
        ("2", "1", "503", "status", "dead_letter"),
        ("1", "", "200", "", "delivered"),
    ];
    for ((span, request), (number, resends, status, cause, next)) in
        attempts.iter().zip(&requests).zip(expected)
    {
        assert_eq!(span.service, "dispatcher");
        assert_eq!(span.span.kind(), SpanKind::Client);
        assert_eq!(span.trace(), TRACE);
        assert_eq!(span.parent(), ingest.id());
        assert_eq!(
            request.header("traceparent"),
            format!("00-{TRACE}-{}-01", span.id()),
            "the customer's spans are below the attempt's"
        );
        assert_eq!(span.get("feedbackpro.delivery.id"), delivery);
        assert_eq!(span.get("feedbackpro.endpoint.id"), endpoint.id);
        assert_eq!(span.get("feedbackpro.attempt"), number);
        assert_eq!(span.get("http.request.resend_count"), resends);
        assert_eq!(span.get("http.response.status_code"), status);
        assert_eq!(span.get("feedbackpro.cause"), cause);
        assert_eq!(span.get("feedbackpro.next"), next);
        assert_eq!(span.get("server.address"), "127.0.0.1");
        assert_eq!(span.has_failed(), !cause.is_empty());
        assert!(span.span.start_time_unix_nano < span.span.end_time_unix_nano);
    }
    let shown = format!("{spans:?}");
    for hidden in ["sesame", "@", "BW-440", "whsec_", "token"] {
        assert!(!shown.contains(hidden), "{hidden} is in {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_sampled_flag_decides_and_without_one_the_ratio() {
    const TRACE: &str = "5bf92f3577b34da6a3ce929d0e0e4736";
    let (receiver, collector) = (Receiver::start(), Receiver::start());
    let url = collector.url("");
    let mut stack = exporting(&url, &url).start().await;
    stack
        .client
        .create_endpoint(&receiver.url("/hook"), RATING)
        .await;

    let unsampled = format!("00-{TRACE}-{CALLER}-00");
    post(&stack, &unsampled).await;
    let got = receiver.wait_for_count("/hook", 1, SOON).await;
    assert_eq!(got[0].header("traceparent"), unsampled);

    stack.client.post_event(&events::rating_submitted(3)).await;
    receiver.wait_for_count("/hook", 2, SOON).await;
    let found = wait_for_spans(&collector, 2).await;
    let [ingest, attempt] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_ne!(ingest.trace(), TRACE);
    assert_eq!(ingest.parent(), "", "it begins a trace");
    assert_eq!(attempt.trace(), ingest.trace());
    assert_eq!(attempt.parent(), ingest.id());

    // What waits is sent before a clean end, or it is told that a moment was not enough.
    stack.client.post_event(&events::rating_submitted(4)).await;
    receiver.wait_for_count("/hook", 3, SOON).await;
    for service in [&mut stack.producer, &mut stack.dispatcher] {
        service.signal(Signal::Term);
        assert!(service.wait_exit(SOON).await.success());
    }
    let found = spans(&collector);
    for (name, service) in [
        ("producer", &stack.producer),
        ("dispatcher", &stack.dispatcher),
    ] {
        let sent = found.iter().filter(|span| span.service == name).count();
        let told = service
            .log()
            .contains("did not take the last spans in time");
        assert!(sent == 2 || (sent == 1 && told), "{name}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_collector_changes_nothing_for_deliveries() {
    /// More than wait for a collector at once.
    const EVENTS: usize = 6_000;
    const DROPPED: &str = "feedbackpro_dispatcher_spans_total{result=\"dropped\"}";
    let (receiver, hanging) = (Receiver::start(), Receiver::start());
    hanging.answer("", Answer::Hang);
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let mut stack = exporting(&nobody, &hanging.url("")).start().await;
    stack
        .client
        .create_endpoint(&receiver.url("/hook"), RATING)
        .await;

    stack.client.post_ratings(EVENTS).await;
    receiver.wait_for_events("/hook", EVENTS, SOON).await;
    assert_eq!(receiver.look(|log| log.repeats("/hook")), 0);
    let dropped = stack.dispatcher.metric(DROPPED).await;
    assert!(dropped > Some(0.0), "what has no room is counted");
    until("the first spans are given up", SOON, async || {
        let dropped = "feedbackpro_producer_spans_total{result=\"dropped\"}";
        (stack.producer.metric(dropped).await > Some(0.0)).then_some(())
    })
    .await;

    for service in [&mut stack.producer, &mut stack.dispatcher] {
        service.signal(Signal::Term);
        let ended = service.wait_exit(SOON).await;
        assert!(ended.success(), "{ended}");
    }
}
