//! What an endpoint receives: a request for each event, as the sender really makes it.

use delivery::{EXAMPLE_SECRET, example};
use domain::{EventKind, schema};
use serde_json::{Map, Value, json};

use crate::components::Components;

pub(super) const TAG: &str = "Deliveries to your endpoint";

/// The part `webhooks` of the document.
pub(super) fn object(components: &mut Components) -> Value {
    let webhook = |kind: EventKind| {
        let post = operation(kind, components);
        (kind.as_str().to_owned(), json!({"post": post}))
    };
    EventKind::ALL
        .into_iter()
        .map(webhook)
        .collect::<Map<_, _>>()
        .into()
}

fn operation(kind: EventKind, components: &mut Components) -> Value {
    let id: String = kind.as_str().split('_').map(capitalised).collect();
    json!({
        "operationId": format!("receive{id}"),
        "tags": [TAG],
        "summary": summary(kind),
        "description": about(),
        "security": [],
        "parameters": headers(kind),
        "requestBody": {
            "required": true,
            "description": "UTF-8; the same bytes on every attempt.",
            "content": {"application/json": {
                "schema": components.event(kind),
                "examples": {"event": {"value": schema::example(kind)}},
            }},
        },
        "responses": {
            "2XX": {"description": "Delivered, if it comes within 5 seconds."},
            "410": {"description": "The endpoint wants no more: it is disabled until somebody \
                                    resumes it, and the delivery is on the failed list."},
            "429": retry_after("Tried again; the endpoint is left alone until then, and gets \
                                fewer deliveries at once. 502, 503 and 504 do the same."),
            "default": {"description": "Tried again after 15 s, 2 m, 10 m, 1 h and 6 h; then it \
                                        is on the failed list. Redirects are not followed."},
        },
    })
}

fn summary(kind: EventKind) -> String {
    let described = schema::description(kind);
    let (_, what) = described.split_once("`: ").unwrap_or(("", &described));
    what.trim_end_matches('.')
        .split_whitespace()
        .enumerate()
        .map(|(index, word)| {
            if index == 0 {
                capitalised(word)
            } else {
                format!(" {word}")
            }
        })
        .collect()
}

fn about() -> String {
    format!(
        "Verify before you read, in constant time and over the raw body: either signature will \
         do. Remember `webhook-id`: the same event may come more than once. Answer first, then \
         work.\n\nThe headers of this example are signed with the secret `{EXAMPLE_SECRET}`, and \
         the body written without white space: \
         `sha256=` and the hex of HMAC-SHA256 with the whole text of the secret as the key; \
         and Standard Webhooks 1.0 with the bytes behind `whsec_`."
    )
}

fn retry_after(description: &str) -> Value {
    json!({
        "description": description,
        "headers": {"Retry-After": {
            "description": "Seconds or a date, at most an hour off; 1 s where it is missing.",
            "schema": {"type": "string"},
        }},
    })
}

/// Those that the sender sets, by an example.
fn headers(kind: EventKind) -> Vec<Value> {
    let (headers, _) = example(kind, true);
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let (shown, required, schema, description) = described(name.as_str(), kind)?;
        let example = value.to_str().expect("the sender's headers are ASCII");
        let is_number = schema["type"] == "integer";
        let example = example
            .parse::<u64>()
            .ok()
            .filter(|_| is_number)
            .map_or_else(|| Value::from(example), Value::from);
        Some(json!({
            "name": shown,
            "in": "header",
            "required": required,
            "description": description,
            "schema": schema,
            "example": example,
        }))
    };
    headers.iter().filter_map(header).collect()
}

/// How it is written, whether it is always there, what it holds and what it means. `None`
/// for those of HTTP itself.
///
/// # Panics
/// For a header that is not described here.
fn described(name: &str, kind: EventKind) -> Option<(&'static str, bool, Value, &'static str)> {
    let text = |pattern: &str| json!({"type": "string", "pattern": pattern});
    let number = || json!({"type": "integer", "minimum": 1});
    Some(match name {
        "host" | "content-type" | "content-length" => return None,
        "user-agent" => (
            "User-Agent",
            true,
            text("^FeedBackPro-Webhooks/"),
            "Who sends.",
        ),
        "x-feedbackpro-event" => (
            "X-FeedbackPro-Event",
            true,
            json!({"const": kind}),
            "Which event.",
        ),
        "x-feedbackpro-signature" => (
            "X-FeedbackPro-Signature",
            true,
            text("^sha256=[0-9a-f]{64}(,sha256=[0-9a-f]{64})*$"),
            "HMAC-SHA256 of the raw body. During a rotation two, separated by a comma.",
        ),
        "x-feedbackpro-attempt" => (
            "X-FeedbackPro-Attempt",
            true,
            number(),
            "The number of the attempt, 1 at first.",
        ),
        "x-feedbackpro-test" => (
            "X-FeedbackPro-Test",
            false,
            json!({"const": "true"}),
            "Only on test events.",
        ),
        "idempotency-key" => (
            "Idempotency-Key",
            true,
            text("^evt_[0-9a-f]{32}$"),
            "The event's id: the same on every attempt and every re-send.",
        ),
        "webhook-id" => (
            "webhook-id",
            true,
            text("^evt_[0-9a-f]{32}$"),
            "The same (Standard Webhooks).",
        ),
        "webhook-timestamp" => (
            "webhook-timestamp",
            true,
            number(),
            "The moment of this attempt, in seconds since 1970: refuse what is older than a few \
             minutes.",
        ),
        "webhook-signature" => (
            "webhook-signature",
            true,
            text("^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)*$"),
            "HMAC-SHA256 of `webhook-id.webhook-timestamp.body` (Standard Webhooks 1.0). During \
             a rotation two, separated by a space.",
        ),
        "traceparent" => (
            "traceparent",
            false,
            json!({"type": "string"}),
            "W3C Trace Context of the request that handed the event in.",
        ),
        other => panic!("the header {other:?} is not described"),
    })
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
