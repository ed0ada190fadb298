//! The API's pages and documents, with the URLs of this installation.

use reqwest::Method;
use serde_json::Value;

use super::fixture::{Console, cluster};
use super::visitor::{Visitor, on_loopback};

/// A document as a client gets it that calls the console by this host.
async fn document(visitor: &Visitor, path: &str, host: &str) -> Value {
    let request = visitor.request(Method::GET, path).header("host", host);
    let page = visitor.send(request).await;
    assert_eq!(page.status, 200, "{path} at {host}");
    serde_json::from_str(&page.body).unwrap()
}

/// Where an OpenAPI document says that a path is.
fn server<'a>(openapi: &'a Value, path: &str) -> &'a str {
    openapi["paths"][path]["servers"][0]["url"]
        .as_str()
        .unwrap()
}

#[tokio::test]
async fn pages_and_documents_name_the_services_as_clients_call_them() {
    let cluster = cluster();
    let mut settings = on_loopback(&cluster.bootstrap_servers());
    let together = Console::start(settings.clone()).await;
    settings.portal.urls.producer = "https://events.example.com/".to_owned();
    settings.portal.urls.failed = "http://failed.example.com:8082".to_owned();
    let apart = Console::start(settings).await;
    let own = "https://console.example.com";
    let (events, failed) = (
        "https://events.example.com",
        "http://failed.example.com:8082",
    );
    for (console, host, expected) in [
        (&together, "console.example.com", [own, own, own]),
        (&apart, "console.example.com", [own, events, failed]),
        // Where the quickstart has its producer by default.
        (
            &apart,
            "localhost:8081",
            ["http://localhost:8081", events, failed],
        ),
        // What no URL can have is not repeated.
        (&apart, "a\"b", ["http://localhost:8080", events, failed]),
    ] {
        let visitor = Visitor::new(console);
        let openapi = document(&visitor, "/openapi.json", host).await;
        let paths = ["/api/v1/endpoints", "/v1/events", "/webhooks/failed"];
        assert_eq!(paths.map(|path| server(&openapi, path)), expected, "{host}");
        let servers = openapi["servers"].as_array().unwrap();
        let servers: Vec<&str> = servers.iter().filter_map(|it| it["url"].as_str()).collect();
        assert_eq!(servers, expected, "{host}");

        let postman = document(&visitor, "/postman.json", host).await;
        let variables = postman["variable"].as_array().unwrap();
        for (name, url) in ["console_url", "producer_url", "failed_url"]
            .iter()
            .zip(expected)
        {
            let variable = variables.iter().find(|it| it["key"] == *name).unwrap();
            assert_eq!(variable["value"], url, "{host}");
        }
        for (operation, path, url) in [
            ("createEndpoint", "/api/v1/endpoints", expected[0]),
            ("postEvents", "/v1/events", expected[1]),
            ("listFailed", "/webhooks/failed", expected[2]),
        ] {
            let page = format!("/api/operations/{operation}");
            let request = visitor.request(Method::GET, &page).header("host", host);
            visitor
                .send(request)
                .await
                .has(&format!("{url}{path}</code>"));
        }
    }
    // Where the brokers are, accounts are not told.
    let visitor = Visitor::new(&apart);
    let asyncapi = document(&visitor, "/asyncapi.json", "console.example.com").await;
    assert_eq!(asyncapi["servers"]["kafka"]["host"], "{brokers}");
    let brokers = cluster.bootstrap_servers();
    assert!(!asyncapi.to_string().contains(&brokers));
}

#[tokio::test]
async fn examples_say_what_they_are_and_are_shown_as_json() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let visitor = Visitor::new(&console);
    let page = visitor.get("/api/operations/createEndpoint").await;
    page.has("Unauthorized: the token is not known here</summary>");
    page.has("Service Unavailable: Kafka does not answer in time; nothing was changed</summary>");
    page.has_not(">problem");
    page.has("<span class=\"j-key\">&quot;url&quot;</span>");
    let page = visitor.get("/api/types/Endpoint").await;
    page.has("<span class=\"j-key\">");
    page.has("/secret");
}
