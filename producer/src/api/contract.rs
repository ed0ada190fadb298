//! What the API promises: the description of each route, made of what its handler reads,
//! answers and refuses.

use axum::http::{HeaderMap, StatusCode};
use domain::{EventKind, InputError, Submission, schema};
use kafka::PublishError;
use serde_json::{Value, json};
use service::body;
use service::contract::{Answer, Content, Operation, Parameter, Shape};
use service::problem::Problem;
use service::tokens::Role;

use super::admit::{self, MAX_KEY, MAX_NDJSON_BODY};
use super::cors::MAX_AGE;
use super::post_events::Accepted;
use super::{access, cors, ndjson, refusals};
use crate::intake::Refusal;

const EVENTS: &str = "Events";

const ABOUT: &str = "\
202 means that all in-sync replicas have the event; from then on it is delivered, waiting, in \
the failed list, or discarded by a person.\n\n\
`application/json` is one event, of at most 64 KiB. `application/x-ndjson` is one event a line, \
at most 1 000 and 1 MiB, answered line by line. `text/plain` is one event with the token of the \
widget in `?key=`, as `navigator.sendBeacon` sends it.\n\n\
Tokens of the role `ingest` are bound to the shop's origins: the `Origin` header must be one of \
theirs. They share a rate an account (`ingest.max_per_second`), and get 429 with `Retry-After` \
beyond it.";

const KEY: &str = "\
The same key gives the same event id, so that receivers see the event once, however often it is \
sent. With another body within 10 minutes it is 422. Of NDJSON each line has the key `<key>/<line>`.";

pub(super) fn post_events(operation: Operation) -> Operation {
    let key = Parameter::header::<String>("Idempotency-Key", KEY)
        .bounded("minLength", 1)
        .bounded("maxLength", MAX_KEY)
        .bounded("pattern", "^[!-~]+$")
        .example("order-4711");
    let trace = Parameter::header::<String>(
        "traceparent",
        "W3C Trace Context: the event and its deliveries belong to this trace.",
    );
    let trace = trace.example("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let one = Content::json(Shape::written::<Accepted>()).example("accepted", accepted());
    let lines = Content::ndjson(Shape::written::<ndjson::Answer>()).example("lines", answered());
    operation
        .named(EVENTS, "postEvents", "Hand in events")
        .about(ABOUT)
        .bearer(&[Role::Account, Role::Ingest])
        .token_in_query("key")
        .takes(key)
        .takes(trace)
        .body(each_event(Content::json(Shape::read::<Submission>())))
        .body(
            Content::ndjson(Shape::read::<Submission>())
                .example("lines", EventKind::ALL.map(submitted).into_iter().collect()),
        )
        .body(
            Content::of("text/plain", Shape::read::<Submission>()).example(
                EventKind::WidgetDismissed.as_str(),
                submitted(EventKind::WidgetDismissed),
            ),
        )
        .answers(Answer::with(
            StatusCode::ACCEPTED,
            "The event is accepted",
            one,
        ))
        .answers(Answer::with(
            StatusCode::MULTI_STATUS,
            "One answer a line of NDJSON, in order",
            lines,
        ))
        .refuses_all(access::refusals())
        .refuses_all(body::reading_refusals(MAX_NDJSON_BODY))
        .refuses_all(not_taken())
        .refuses_all(not_events())
        .refuses_all(not_published())
}

pub(super) fn preflight(operation: Operation) -> Operation {
    operation
        .named(EVENTS, "preflight", "Ask as a browser does before it posts")
        .about(
            "Browsers ask this by themselves (CORS). Answers to posts of the origins of ingest \
             tokens have `Access-Control-Allow-Origin`, problems too.",
        )
        .takes(
            Parameter::header::<String>("Origin", "Of the page.")
                .example("https://www.yourshop.de"),
        )
        .answers(
            Answer::empty(StatusCode::NO_CONTENT, "The browser may post")
                .header("Access-Control-Allow-Origin", "The origin.")
                .header("Access-Control-Allow-Methods", "POST")
                .header("Access-Control-Allow-Headers", "What may be sent.")
                .header("Access-Control-Max-Age", MAX_AGE),
        )
        .refuses(cors::unknown_origin())
}

fn each_event(content: Content) -> Content {
    EventKind::ALL.into_iter().fold(content, |content, kind| {
        content.example(kind.as_str(), submitted(kind))
    })
}

fn submitted(kind: EventKind) -> Value {
    json!({"event": kind, "data": schema::example(kind).data()})
}

fn accepted() -> Value {
    json!({"id": schema::example(EventKind::RatingSubmitted).id()})
}

fn answered() -> Value {
    let refused = Problem::from(not_an_event());
    json!([
        {"line": 1, "id": schema::example(EventKind::RatingSubmitted).id()},
        {"line": 2, "error": refused},
    ])
}

fn not_an_event() -> Refusal {
    Refusal::Event(InputError::Invalid {
        path: "$.data.score".to_owned(),
        found: "9".to_owned(),
        allowed: "a whole number from 1 to 5".to_owned(),
    })
}

/// Refused by its head, or before it is read as events.
fn not_taken() -> impl Iterator<Item = Problem> {
    let refused = [
        admit::looped(),
        admit::wrong_type(&HeaderMap::new()),
        admit::no_key(),
        admit::too_fast(3),
        refusals::not_ready(),
        refusals::no_memory(),
    ];
    refused
        .into_iter()
        .chain([0, 1_001].into_iter().filter_map(ndjson::refuse))
}

fn not_events() -> impl Iterator<Item = Problem> {
    [
        Submission::parse(b"\xff").err().map(Refusal::Event),
        Submission::parse(b"{\"event\"").err().map(Refusal::Event),
        Some(not_an_event()),
        Some(Refusal::Event(InputError::TooLong { found: 70_000 })),
        Some(Refusal::KeyReused),
    ]
    .into_iter()
    .flatten()
    .map(Problem::from)
}

fn not_published() -> impl Iterator<Item = Problem> {
    [PublishError::Full, PublishError::Failed]
        .into_iter()
        .map(|error| Refusal::NotPublished { error, keyed: true }.into())
}
