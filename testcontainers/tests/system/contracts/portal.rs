//! The documents as the console serves and shows them.

use std::collections::BTreeSet;

use e2e::{Reply, client::send};
use serde_json::Value;

use crate::quickstart::Quickstart;

async fn get(quickstart: &Quickstart, path: &str) -> Reply {
    let url = format!("http://127.0.0.1:{}{path}", quickstart.console);
    send(reqwest::Client::new().get(url)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_serves_the_documents_and_shows_all_that_the_first_one_holds() {
    let (quickstart, _) = Quickstart::start();
    for name in ["openapi.json", "postman.json", "asyncapi.json"] {
        let served = get(&quickstart, &format!("/{name}")).await.expect(200);
        assert_eq!(served.header("content-type"), "application/json");
        let committed = std::fs::read_to_string(super::document(name));
        let committed = committed.expect("it is committed");
        let services = [
            (8080, quickstart.console),
            (8081, quickstart.producer),
            (8082, quickstart.failed),
        ];
        let expected = services.iter().fold(committed, |text, (default, port)| {
            let here = format!("\"http://127.0.0.1:{port}\"");
            text.replace(&format!("\"http://localhost:{default}\""), &here)
        });
        assert!(served.text() == expected, "{name} is another one");
    }

    let mut links = vec!["/api".to_owned()];
    let mut seen: BTreeSet<String> = links.iter().cloned().collect();
    while let Some(path) = links.pop() {
        let page = get(&quickstart, &path).await.expect(200);
        if !page.header("content-type").starts_with("text/html") {
            continue;
        }
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
            "{path}: {policy}"
        );
        let text = page.text();
        for link in text.split("href=\"").skip(1) {
            let (link, _) = link.split_once('"').expect("an attribute ends");
            if link.starts_with('#') {
                continue;
            }
            assert!(link.starts_with('/'), "{path} leads elsewhere: {link}");
            if seen.insert(link.to_owned()) {
                links.push(link.to_owned());
            }
        }
    }
    let document: Value = get(&quickstart, "/openapi.json").await.json();
    let types = document["components"]["schemas"]
        .as_object()
        .expect("it has types");
    for name in types.keys() {
        assert!(
            seen.contains(&format!("/api/types/{name}")),
            "{name} is not shown"
        );
    }
    let methods = ["paths", "webhooks"].into_iter().flat_map(|part| {
        let items = document[part].as_object().expect("it has operations");
        items.values().filter_map(Value::as_object)
    });
    let operations =
        methods.flat_map(|item| item.values().filter_map(|it| it["operationId"].as_str()));
    for id in operations {
        assert!(
            seen.contains(&format!("/api/operations/{id}")),
            "{id} is not shown"
        );
    }
    drop(
        get(&quickstart, "/api/operations/unknown")
            .await
            .problem(404),
    );
    drop(get(&quickstart, "/api/types/unknown").await.problem(404));
}
