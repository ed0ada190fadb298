//! The OpenAPI document (3.1): all that a customer's program calls, and what calls it.

mod operation;
mod shared;
mod webhooks;

use serde_json::{Map, Value, json};
use service::contract::Security;

use crate::components::{Components, tidy};
use crate::server::{self, Server};

/// The document.
pub(crate) fn document() -> Value {
    let mut components = Components::new();
    let servers = server::all();
    let mut paths = Map::new();
    for server in &servers {
        for operation in &server.operations {
            let path = paths
                .entry(operation.path)
                .or_insert_with(|| json!({"servers": [url(server)]}));
            let method = operation.method.as_str().to_ascii_lowercase();
            path[method] = operation::object(operation, &mut components);
        }
    }
    let responses = shared::responses(&mut paths);
    let webhooks = webhooks::object(&mut components);
    json!({
        "openapi": "3.1.0",
        "info": info(),
        "servers": servers.iter().map(url).collect::<Vec<_>>(),
        "tags": tags(&servers),
        "paths": paths,
        "webhooks": webhooks,
        "components": {
            "schemas": components.named(),
            "responses": responses,
            "securitySchemes": {
                BEARER: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `auth.tokens`. Its role says what it may do: \
                                    `ingest` hands events in, `account` does everything of one \
                                    account, `operator` sees all accounts.",
                },
                KEY: {
                    "type": "apiKey",
                    "in": "query",
                    "name": "key",
                    "description": "A token of the role `ingest`, with `text/plain` only.",
                },
            },
        },
    })
}

const BEARER: &str = "bearer";
const KEY: &str = "key";

const ABOUT: &str = "\
Feedback of shop visitors, delivered as signed webhooks.\n\n\
**Errors** are problem documents (RFC 9457, `application/problem+json`) that say where the \
mistake is, what was found and what is allowed. Paths that are not here answer 404, other methods \
405 with `Allow`.\n\n\
**Limits.** 429 and 503 have `Retry-After`, in seconds.\n\n\
**Lists** have pages: what an answer has as `next_cursor` is the `cursor` of the next request.\n\n\
**At least once.** A delivery may come more than once, always with the same `webhook-id` and \
`Idempotency-Key`: remember it to see each event once.";

fn info() -> Value {
    json!({
        "title": "FeedBackPro Webhooks",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "Hand in feedback, and receive it as signed webhooks.",
        "description": ABOUT,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    })
}

fn url(server: &Server) -> Value {
    json!({
        "url": server.url(),
        "description": format!("{}: {}", server.name, server.description),
    })
}

/// What operations belong to, in the order in which they come.
fn tags(servers: &[Server]) -> Vec<Value> {
    let mut names: Vec<&str> = Vec::new();
    for operation in servers.iter().flat_map(|server| &server.operations) {
        if !names.contains(&operation.tag) {
            names.push(operation.tag);
        }
    }
    names.push(webhooks::TAG);
    names
        .into_iter()
        .map(|name| json!({"name": name, "description": about(name)}))
        .collect()
}

/// # Panics
/// For a tag that is not described here.
fn about(tag: &str) -> &'static str {
    match tag {
        "Endpoints" => "Where deliveries go, and which.",
        "Secrets" => "What signs deliveries.",
        "Test events" => "One signed delivery at once, also before an endpoint is saved.",
        "Audit" => "Who did what.",
        "Retry policy" => "When failed deliveries are tried again.",
        "Events" => "Handing events in.",
        "Failed deliveries" => "What was given up, and the way back.",
        "Bulk jobs" => "Many failed deliveries sent again, or discarded.",
        "Deliveries" => "What became of them, and any of them again.",
        "Statistics" => "What happened, and how endpoints do.",
        webhooks::TAG => "What an endpoint receives.",
        other => panic!("the tag {other:?} is not described"),
    }
}

fn security(one: &Security) -> Value {
    match one {
        Security::Bearer(_) => json!({BEARER: []}),
        Security::Query(_) => json!({KEY: []}),
    }
}

/// A schema of a parameter, and its example.
fn split_example(schema: &Map<String, Value>) -> (Value, Option<Value>) {
    let mut schema = schema.clone();
    let examples = schema.shift_remove("examples");
    let example = examples.and_then(|examples| examples.as_array()?.first().cloned());
    (tidy(Value::Object(schema)), example)
}
