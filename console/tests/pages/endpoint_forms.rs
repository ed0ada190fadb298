//! Endpoints by forms alone, without a script.

use serde_json::json;

use super::fixture::{Console, OPERATOR, SHOP, cluster, until};
use super::visitor::{Page, Visitor, on_loopback};

const URL: (&str, &str) = ("url", "https://hooks.example.com/feedback");

/// Where a form has led to.
async fn follow(visitor: &Visitor, page: &Page) -> Page {
    assert_eq!(page.status, 303, "{}", page.body);
    let next = visitor.get(page.location()).await;
    assert_eq!(next.status, 200, "{}", next.body);
    next
}

#[tokio::test]
async fn what_is_wrong_stands_beside_its_field_and_what_was_typed_stays() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let visitor = Visitor::signed_in(&console, SHOP).await;
    let fields = [
        ("do", "save"),
        ("url", "ftp://hooks.example.com"),
        ("description", "Bestellsystem"),
        ("filter_field", "score"),
        ("filter_operator", "at_most"),
        ("filter_value", "six"),
        ("filter_field", "email"),
        ("filter_operator", "at_most"),
        ("filter_value", "anna@example.com"),
        ("header_name", "Host"),
        ("header_value", "example.com"),
        ("rate", "0"),
    ];
    let page = visitor.post("/endpoints/new", &fields).await;
    assert_eq!(page.status, 422);
    for (field, says) in [
        ("url", "https://"),
        ("events", "at least one"),
        ("filter-0-value", "whole number"),
        ("header-0-name", "header"),
        ("rate", "whole number"),
    ] {
        let error = page.error(field);
        let error = error.unwrap_or_else(|| panic!("no error beside {field}:\n{}", page.body));
        assert!(error.contains(says), "{field}: {error}");
        page.has(&format!("href=\"#{field}\""));
    }
    for typed in [
        "ftp://hooks.example.com",
        "Bestellsystem",
        "six",
        "anna@example.com",
    ] {
        page.has(&format!("value=\"{typed}\""));
    }
    let list = console.get("/api/v1/endpoints", SHOP).await;
    assert_eq!(list.body["items"], json!([]), "{:?}", list.body);
}

#[tokio::test]
async fn an_endpoint_is_added_changed_paused_rotated_and_deleted() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let visitor = Visitor::signed_in(&console, SHOP).await;
    let fields = [
        ("do", "save"),
        URL,
        ("description", "Bestellsystem"),
        ("events", "rating_submitted"),
        ("events", "nps_calculated"),
        ("filter_field", "score"),
        ("filter_operator", "at_most"),
        ("filter_value", " 2 "),
        ("filter_field", ""),
        ("filter_operator", "equals"),
        ("filter_value", ""),
        ("header_name", "X-Team"),
        ("header_value", "nord"),
        ("rate", "50"),
    ];
    let form = visitor.get("/endpoints/new").await;
    form.has_not("Save changes");
    let added = visitor.post("/endpoints/new", &fields).await;
    let path = added.location().to_owned();
    let page = follow(&visitor, &added).await;
    page.has("The endpoint is there");
    page.has("X-Team: nord");
    page.has("50 a second at most");
    let api = format!("/api/v1{path}");
    let stored = console.get(&api, SHOP).await;
    assert_eq!(
        stored.body["filter"],
        json!([{"field": "score", "operator": "at_most", "value": 2}])
    );
    assert_eq!(stored.body["max_per_second"], 50);

    // A row more, a row less: nothing is saved.
    let page = visitor.get(&format!("{path}/edit")).await;
    let version = page.value("version").to_owned();
    let change = [
        ("version", version.as_str()),
        URL,
        ("events", "rating_submitted"),
        ("rate", "50"),
    ];
    let add = [&change[..], &[("do", "add-header")]].concat();
    let page = visitor.post(&format!("{path}/edit"), &add).await;
    assert_eq!(page.status, 200);
    assert_eq!(
        console.get(&api, SHOP).await.header("etag"),
        stored.header("etag")
    );
    let save = [&change[..], &[("do", "save")]].concat();
    let saved = visitor.post(&format!("{path}/edit"), &save).await;
    follow(&visitor, &saved).await.has("The changes are saved");
    let stored = console.get(&api, SHOP).await;
    assert_eq!(stored.body["events"], json!(["rating_submitted"]));
    assert_eq!(stored.body["filter"], json!([]));

    // The form still shows the version before.
    let mine = [
        ("do", "save"),
        ("description", "Mine"),
        ("filter_field", "product_sku"),
        ("filter_operator", "starts_with"),
        ("filter_value", "BW-"),
    ];
    let other = [&change[..], &mine].concat();
    let page = visitor.post(&format!("{path}/edit"), &other).await;
    assert_eq!(page.status, 409);
    page.has("product_sku begins with BW-");
    page.has("Somebody else has changed this endpoint");
    page.has("value=\"Mine\"");
    let now = page.value("version").to_owned();
    let again = [&[("version", now.as_str())][..], &other[1..]].concat();
    let saved = visitor.post(&format!("{path}/edit"), &again).await;
    follow(&visitor, &saved).await.has("Mine");

    for (action, says, state) in [
        ("pause", "The endpoint is paused", "paused"),
        (
            "resume",
            "The endpoint receives deliveries again",
            "enabled",
        ),
    ] {
        let done = visitor.post(&format!("{path}/{action}"), &[]).await;
        follow(&visitor, &done).await.has(says);
        assert_eq!(console.get(&api, SHOP).await.text("state"), state);
    }

    let ask = visitor.get(&format!("{path}/rotate")).await;
    let version = ask.value("version").to_owned();
    for says in ["There is a new secret", "Nothing was done"] {
        let fields = [("version", version.as_str())];
        let done = visitor.post(&format!("{path}/rotate"), &fields).await;
        let page = follow(&visitor, &done).await;
        page.has(says);
        page.has("Two secrets sign each delivery");
    }
    let secrets = console.get(&format!("{api}/secret"), SHOP).await;
    let secret = secrets.text("secret");
    let previous = secrets.body["previous"]["secret"].as_str().unwrap();
    visitor.get(&path).await.has_not(secret);
    let page = visitor.post(&format!("{path}/secret"), &[]).await;
    page.has(secret);
    page.has(previous);
    assert_eq!(page.header("cache-control"), "no-store");
    until("the audit shows it", async || {
        let audit = visitor.get("/settings/audit?action=secret_revealed").await;
        audit.body.contains(&path)
    })
    .await;

    let ask = visitor.get(&format!("{path}/delete")).await;
    ask.has("cannot be brought back");
    let stale = visitor
        .post(&format!("{path}/delete"), &[("version", "1")])
        .await;
    follow(&visitor, &stale).await.has("Nothing was done");
    let version = ask.value("version").to_owned();
    let fields = [("version", version.as_str())];
    let done = visitor.post(&format!("{path}/delete"), &fields).await;
    follow(&visitor, &done).await.has("The endpoint is deleted");
    assert_eq!(visitor.get(&path).await.status, 404);
}

#[tokio::test]
async fn an_operator_names_the_account() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let operator = Visitor::signed_in(&console, OPERATOR).await;
    let fields = [("do", "save"), URL, ("events", "nps_calculated")];
    let page = operator.post("/endpoints/new", &fields).await;
    assert_eq!(page.status, 422);
    assert!(page.error("account").is_some(), "{}", page.body);
    let named = [&fields[..], &[("account", "shop")]].concat();
    let added = operator.post("/endpoints/new", &named).await;
    let page = follow(&operator, &added).await;
    page.has("<dd>shop</dd>");
    let list = console.get("/api/v1/endpoints", SHOP).await;
    assert_eq!(list.body["items"][0]["url"], URL.1);

    // An account cannot name another one.
    let visitor = Visitor::signed_in(&console, SHOP).await;
    let named = [&fields[..], &[("account", "other")]].concat();
    let added = visitor.post("/endpoints/new", &named).await;
    follow(&visitor, &added).await;
    let list = console
        .get("/api/v1/endpoints?account=other", OPERATOR)
        .await;
    assert_eq!(list.body["items"], json!([]));
}

#[tokio::test]
async fn the_form_says_which_urls_are_taken_here() {
    let cluster = cluster();
    let mut settings = on_loopback(&cluster.bootstrap_servers());
    for (ports, loopback, allowed) in [
        (&[443, 8443][..], true, "port 443 or 8443,"),
        (&[443][..], false, "port 443,"),
    ] {
        settings.guard.allow_ports = ports.to_vec();
        settings.guard.allow_plain_http_to_loopback = loopback;
        let console = Console::start(settings.clone()).await;
        let shop = Visitor::signed_in(&console, SHOP).await;
        let page = shop.get("/endpoints/new").await;
        page.has(allowed);
        let says = page.body.contains("<code>http://127.0.0.1</code>");
        assert_eq!(says, loopback);
    }
}
