//! The Postman collection, as newman runs it.

use std::time::Duration;

use e2e::{Folder, events};
use reqwest::Method;
use serde_json::{Value, json};

use crate::quickstart::Quickstart;

const SOON: Duration = Duration::from_secs(30);

/// A request of the collection that was sent, and its answer.
pub(super) struct Execution {
    pub(super) name: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// Lets deliveries fail, so that there is something to be sent again.
pub(super) async fn let_some_fail(quickstart: &Quickstart) {
    let url = format!("http://127.0.0.1:{}/broken", quickstart.receiver);
    let endpoint = json!({"url": url, "events": ["widget_dismissed"]});
    let path = "/api/v1/endpoints";
    let created = quickstart.call(quickstart.console, Method::POST, path, Some(endpoint));
    drop(created.await.expect(201));
    for _ in 0..2 {
        let event = Some(events::widget_dismissed());
        let posted = quickstart.call(quickstart.producer, Method::POST, "/v1/events", event);
        drop(posted.await.expect(202));
    }
    e2e::until("two failures are in the list", SOON, async || {
        let path = "/webhooks/failed";
        let page = quickstart.call(quickstart.failed, Method::GET, path, None);
        let items = page.await.expect(200).json()["items"].as_array()?.len();
        (items >= 2).then_some(())
    })
    .await;
}

/// Runs the collection that the console serves.
///
/// # Panics
/// When it is not green, or a request was skipped.
pub(super) async fn run(quickstart: &Quickstart) -> Vec<Execution> {
    let folder = Folder::new();
    let report = folder.path().join("report.json");
    let receiver = format!("http://127.0.0.1:{}", quickstart.receiver);
    // Where the services are, the collection says itself.
    let variables = [
        "token=demo".to_owned(),
        format!("endpoint_url={receiver}/webhooks/feedback"),
        format!("ingest_token={}", quickstart.widget_token().await),
        format!("shop_origin={}", quickstart.origin()),
    ];
    let collection = folder.path().join("postman.json");
    let served = quickstart.call(quickstart.console, Method::GET, "/postman.json", None);
    let served = served.await.expect(200).body;
    std::fs::write(&collection, served).expect("the folder takes a file");
    let mut arguments = vec!["run".to_owned(), collection.display().to_string()];
    arguments.extend(["--reporters", "cli,json", "--color", "off"].map(str::to_owned));
    arguments.push("--reporter-json-export".to_owned());
    arguments.push(report.display().to_string());
    for variable in variables {
        arguments.extend(["--env-var".to_owned(), variable]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = e2e::node("node/node_modules/newman/bin/newman.js", &arguments).await;
    let told = ended.told();
    assert_eq!(ended.code, Some(0), "{told}");
    let report = std::fs::read(&report).expect("newman has written its report");
    let report: Value = serde_json::from_slice(&report).expect("the report is JSON");
    let executions = list(&report["run"]["executions"]);
    let requests = names(&report["collection"]["item"]);
    let run: Vec<Execution> = executions.iter().map(Execution::of).collect();
    let names: Vec<&str> = run.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, requests, "{told}");
    run
}

impl Execution {
    fn of(execution: &Value) -> Self {
        let (request, response) = (&execution["request"], &execution["response"]);
        let path: Vec<String> = list(&request["url"]["path"]).iter().map(text).collect();
        let headers = list(&response["header"]).iter();
        let bytes = list(&response["stream"]["data"]).iter();
        let byte = |byte: &Value| byte.as_u64().and_then(|byte| u8::try_from(byte).ok());
        Self {
            name: text(&execution["item"]["name"]),
            method: text(&request["method"]),
            path: format!("/{}", path.join("/")),
            status: response["code"]
                .as_u64()
                .and_then(|code| u16::try_from(code).ok())
                .unwrap_or(0),
            headers: headers
                .map(|it| (text(&it["key"]), text(&it["value"])))
                .collect(),
            body: bytes.filter_map(byte).collect(),
        }
    }
}

/// The names of all requests, in order.
fn names(items: &Value) -> Vec<String> {
    let requests = |folder: &Value| {
        list(&folder["item"])
            .iter()
            .map(|it| text(&it["name"]))
            .collect::<Vec<_>>()
    };
    list(items).iter().flat_map(requests).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
