//! The Postman collection (v2.1): each operation as a request with its example, in an order
//! in which all can be run, one after another.
//!
//! What later requests need, earlier answers have: see [`service::contract::Kept`]. A request
//! whose value no answer had is skipped.

use delivery::EXAMPLE_URL;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use service::contract::{Content, Operation, Place, Security};

use crate::server::{self, Server};

mod script;

const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

const ABOUT: &str = "\
Set `token` to a token with the role `account`, and `endpoint_url` to where the new endpoint's \
deliveries go. The other URLs say where the services are: a console gives those of its own \
installation, the committed file those of the quickstart. \
`ingest_token`, with the role `ingest`, and `shop_origin`, one of its origins, are for the event \
that is posted as a leaving page does; without a token it is skipped.\n\n\
Run the folders from top to bottom. Two or more failed deliveries are needed for all requests of \
the last folder; without them some are skipped. Optional parameters are there, switched off.";

/// The document.
pub(crate) fn document() -> Value {
    let servers = server::all();
    let known = known(&servers);
    let variables = servers
        .iter()
        .map(|server| json!({"key": server.variable, "value": server.url()}));
    let more = [
        ("token", ""),
        (ENDPOINT_URL, "http://127.0.0.1:8083/webhooks/feedback"),
        (INGEST_TOKEN, ""),
        ("shop_origin", "http://127.0.0.1:8083"),
    ];
    let more = more.map(|(key, value)| json!({"key": key, "value": value}));
    json!({
        "info": {"name": "FeedBackPro Webhooks", "description": ABOUT, "schema": SCHEMA},
        "auth": {
            "type": "bearer",
            "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}],
        },
        "variable": variables.chain(more).collect::<Value>(),
        "item": servers.iter().map(|server| folder(server, &known)).collect::<Value>(),
    })
}

const ENDPOINT_URL: &str = "endpoint_url";
const INGEST_TOKEN: &str = "ingest_token";
/// Of bodies whose senders cannot set headers.
const BEACON: &str = "text/plain";

/// Values of examples, and the variables that stand for them here.
type Known = [(String, &'static str)];

fn known(servers: &[Server]) -> Vec<(String, &'static str)> {
    let operations = servers.iter().flat_map(|server| &server.operations);
    let parameters = operations.flat_map(|operation| &operation.parameters);
    let values = parameters.filter_map(|parameter| {
        let example = parameter.schema.get("examples")?.get(0)?.as_str()?;
        Some((example.to_owned(), parameter.variable?))
    });
    let url = (EXAMPLE_URL.to_owned(), ENDPOINT_URL);
    values.chain([url]).collect()
}

fn folder(server: &Server, known: &Known) -> Value {
    let (last, first): (Vec<_>, Vec<_>) = server
        .operations
        .iter()
        .filter(|operation| operation.method != Method::OPTIONS && !is_endless(operation))
        .partition(|operation| operation.method == Method::DELETE);
    let operations = first.into_iter().chain(last);
    let items = operations.flat_map(|operation| requests(server, operation, known));
    json!({
        "name": server.name,
        "description": server.description,
        "item": items.collect::<Value>(),
    })
}

fn is_endless(operation: &Operation) -> bool {
    let mut contents = operation
        .answers
        .iter()
        .filter_map(|it| it.content.as_ref());
    contents.any(|content| content.media == "text/event-stream")
}

/// One for each example of its bodies.
fn requests(server: &Server, operation: &Operation, known: &Known) -> Vec<Value> {
    let bodies: Vec<_> = operation
        .bodies
        .iter()
        .flat_map(|body| body.examples.iter().map(move |example| (body, example)))
        .collect();
    if bodies.is_empty() {
        return vec![item(server, operation, operation.summary.to_owned(), None)];
    }
    let is_only = bodies.len() == 1;
    let request = |(body, (name, value)): (&Content, &(&'static str, Value))| {
        let name = if is_only {
            operation.summary.to_owned()
        } else {
            format!("{}: {name}", operation.summary)
        };
        let text = with_variables(known, &text(body, value));
        if body.media == BEACON {
            let name = format!("{name} (sendBeacon)");
            by_beacon(item(server, operation, name, Some((body.media, text))))
        } else {
            item(server, operation, name, Some((body.media, text)))
        }
    };
    bodies.into_iter().map(request).collect()
}

fn item(
    server: &Server,
    operation: &Operation,
    name: String,
    body: Option<(&str, String)>,
) -> Value {
    let mut headers: Vec<Value> = of_place(operation, Place::Header).collect();
    let mut request = json!({
        "method": operation.method.as_str(),
        "description": operation.description,
        "url": url(server, operation),
    });
    if let Some((media, text)) = body {
        headers.insert(0, json!({"key": "Content-Type", "value": media}));
        request["body"] = json!({"mode": "raw", "raw": text});
    }
    if !headers.is_empty() {
        request["header"] = headers.into();
    }
    if !operation
        .security
        .iter()
        .any(|one| matches!(one, Security::Bearer(_)))
    {
        request["auth"] = json!({"type": "noauth"});
    }
    json!({"name": name, "event": script::events(operation), "request": request})
}

/// As `navigator.sendBeacon` posts, which sets no headers of its own: with a token in
/// the query, which is of another role.
fn by_beacon(mut item: Value) -> Value {
    let key = format!("{{{{{INGEST_TOKEN}}}}}");
    let request = &mut item["request"];
    request["auth"] = json!({"type": "noauth"});
    request["header"] = json!([
        {"key": "Content-Type", "value": BEACON},
        {"key": "Origin", "value": "{{shop_origin}}"},
    ]);
    let raw = request["url"]["raw"].as_str().unwrap_or_default();
    request["url"]["raw"] = format!("{raw}?key={key}").into();
    request["url"]["query"] = json!([{"key": "key", "value": key}]);
    if let Some(events) = item["event"].as_array_mut() {
        events.insert(0, script::needs([INGEST_TOKEN]));
    }
    item
}

/// A body as a person edits it.
fn text(content: &Content, example: &Value) -> String {
    if content.is_lines() {
        content.text(example)
    } else {
        format!("{example:#}")
    }
}

fn with_variables(known: &Known, body: &str) -> String {
    known
        .iter()
        .fold(body.to_owned(), |body, (value, variable)| {
            body.replace(value, &format!("{{{{{variable}}}}}"))
        })
}

fn url(server: &Server, operation: &Operation) -> Value {
    let mut path = operation.path.to_owned();
    for parameter in &operation.parameters {
        if let (Place::Path, Some(variable)) = (parameter.place, parameter.variable) {
            path = path.replace(
                &format!("{{{}}}", parameter.name),
                &format!("{{{{{variable}}}}}"),
            );
        }
    }
    let host = format!("{{{{{}}}}}", server.variable);
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let mut url = json!({
        "raw": format!("{host}{path}"),
        "host": [host],
        "path": segments,
    });
    let query: Vec<Value> = of_place(operation, Place::Query).collect();
    if !query.is_empty() {
        url["query"] = query.into();
    }
    url
}

/// The parameters of a place. None of them must be there.
fn of_place(operation: &Operation, place: Place) -> impl Iterator<Item = Value> {
    let parameters = operation.parameters.iter();
    parameters
        .filter(move |parameter| parameter.place == place)
        .map(|parameter| {
            let example = parameter
                .schema
                .get("examples")
                .and_then(|examples| examples.get(0));
            let value = match example {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            };
            json!({
                "key": parameter.name,
                "value": value,
                "description": parameter.description,
                "disabled": true,
            })
        })
}

/// What the request may be answered with when all is well.
fn expected(operation: &Operation) -> Vec<u16> {
    let mut expected: Vec<u16> = operation
        .answers
        .iter()
        .map(|answer| answer.status.as_u16())
        .collect();
    let refused = |status: StatusCode| operation.problems.iter().any(|it| it.status == status);
    // What it is about may have ended, or have been moved, by itself.
    let is_about_one = operation.parameters.iter().any(|it| it.variable.is_some());
    if is_about_one && refused(StatusCode::CONFLICT) {
        expected.push(StatusCode::CONFLICT.as_u16());
    }
    // Its example stands at a place that no answer tells: `webhooks.attempts` does.
    if operation.id == "resendDelivery" {
        expected.push(StatusCode::NOT_FOUND.as_u16());
    }
    expected
}
