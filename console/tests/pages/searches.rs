//! What a URL asks for that is not known, and endpoints by their names.

use domain::{AfterAttempt, EndpointId};
use serde_json::json;

use super::failed_service::FailedService;
use super::fixture::{Console, OPERATOR, OTHER, SHOP, cluster, until};
use super::visitor::{Visitor, on_loopback};
use super::written::{Written, holds};

#[tokio::test]
async fn a_value_that_is_not_known_is_an_error_of_its_field_and_nothing_is_shown() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let failed = FailedService::start(&brokers).await;
    let console = Console::start(failed.known_to(on_loopback(&brokers))).await;
    let written = Written::on(&brokers);
    let (_, answer) = console.endpoint("https://shop.example.com/hook").await;
    let id: EndpointId = answer.text("id").parse().unwrap();
    let event = written.event("shop").await;
    let (entry, _) = (
        failed.gets(&event, id).await,
        written
            .attempt(&event, id, 1, AfterAttempt::Delivered)
            .await,
    );
    holds(&console, 1).await;
    let shop = Visitor::signed_in(&console, SHOP).await;
    until("it is on the list, and in the audit", async || {
        let audit = shop.get("/settings/audit").await;
        let list = shop.get("/failed").await;
        audit.body.contains("Endpoint added</div>") && list.body.contains(&entry.to_string())
    })
    .await;

    for (path, field, allowed) in [
        (
            "/failed?reason=zzz",
            "reason",
            "attempts_exhausted, endpoint_gone",
        ),
        (
            "/failed?event=zzz",
            "event",
            "new_feedback, rating_submitted",
        ),
        (
            "/deliveries?state=zzz",
            "state",
            "delivered, waiting, failed",
        ),
        (
            "/deliveries?event=zzz",
            "event",
            "new_feedback, rating_submitted",
        ),
        ("/endpoints?state=zzz", "state", "enabled, paused, disabled"),
        (
            "/endpoints?event=zzz",
            "event",
            "new_feedback, rating_submitted",
        ),
        ("/settings/audit?action=zzz", "action", "endpoint_created, "),
        ("/settings/audit?since=zzz", "since", "2026-11-25"),
    ] {
        let page = shop.get(path).await;
        assert_eq!(page.status, 400, "{path}");
        let error = page
            .error(field)
            .unwrap_or_else(|| panic!("{path}: {}", page.body));
        assert!(error.contains(allowed), "{path}: {error}");
        page.has(&format!("aria-describedby=\"{field}-error\""));
        for shown in ["<tbody>", "Discard all", "shop.example.com/hook</code></a>"] {
            page.has_not(shown);
        }
        let list = path.split_once('?').unwrap().0;
        page.has(&format!("href=\"{list}\">Reset</a>"));
    }
    let page = shop.get("/overview?range=99y").await;
    assert_eq!(page.status, 400);
    page.has("<a href=\"#range\">99y is none of these: 1h, 24h, 7d.</a>");
    page.has_not("class=\"tile\"");
    page.has("range=24h");
    let hostile = shop.get("/failed?reason=%3Cimg%20src=x%3E").await;
    hostile.has_not("<img");
    // Nor is a form taken for all that there is.
    let asked = [("do", "discard_all"), ("reason", "zzz")];
    assert_eq!(shop.post("/failed/ask", &asked).await.status, 400);
}

#[tokio::test]
async fn an_account_is_named_by_those_who_reach_it() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let failed = FailedService::start(&brokers).await;
    let console = Console::start(failed.known_to(on_loopback(&brokers))).await;
    console.endpoint("https://shop.example.com/hook").await;
    let other = Visitor::signed_in(&console, OTHER).await;
    let operator = Visitor::signed_in(&console, OPERATOR).await;
    for path in [
        "/overview",
        "/endpoints",
        "/deliveries",
        "/failed",
        "/settings/audit",
    ] {
        for wrong in ["shop", "a%20b"] {
            let page = other.get(&format!("{path}?account={wrong}")).await;
            assert_eq!(page.status, 403, "{path} {wrong}");
        }
        let page = other.get(&format!("{path}?account=other")).await;
        assert_eq!(page.status, 200, "{path}");
        let page = operator.get(&format!("{path}?account=shop")).await;
        assert_eq!(page.status, 200, "{path}");
        let page = operator.get(&format!("{path}?account=a%20b")).await;
        assert_eq!(page.status, 400, "{path}");
        page.has("1 to 64 letters, digits");
    }
    let page = operator.get("/overview?account=shop").await;
    page.has("Overview: shop");
    page.has("shop.example.com");
    page.has("state=delivered&#38;since=");
    page.has("&#38;account=shop");
    for path in ["/endpoints", "/overview"] {
        let page = operator.get(&format!("{path}?account=zzz")).await;
        page.has("The account zzz has no endpoint.");
        page.has_not("shop.example.com");
        page.has_not("your events");
    }
}

#[tokio::test]
async fn an_endpoint_is_found_by_its_name_and_named_in_the_audit() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let failed = FailedService::start(&brokers).await;
    let console = Console::start(failed.known_to(on_loopback(&brokers))).await;
    let mut ids = Vec::new();
    for (token, name) in [
        (SHOP, "Order system"),
        (SHOP, "Order system, old"),
        (SHOP, "Newsletter <b>"),
        (OTHER, "Loyalty"),
    ] {
        let body = json!({
            "url": "https://shop.example.com/hook", "events": ["rating_submitted"],
            "description": name,
        });
        let answer = console.post("/api/v1/endpoints", token, body).await;
        ids.push(answer.text("id").to_owned());
    }
    let written = Written::on(&brokers);
    let event = written.event("shop").await;
    let mut links = Vec::new();
    for id in &ids[..3] {
        let id = id.parse().unwrap();
        let delivery = written
            .attempt(&event, id, 1, AfterAttempt::Delivered)
            .await;
        let entry = failed.gets(&event, id).await;
        links.push([
            format!("\"/deliveries/{delivery}\""),
            format!("\"/failed/{entry}\""),
        ]);
    }
    holds(&console, 3).await;
    let shop = Visitor::signed_in(&console, SHOP).await;
    until("all are on the list", async || {
        let list = shop.get("/failed").await;
        links.iter().all(|[_, entry]| list.body.contains(entry))
    })
    .await;
    for (typed, found) in [
        ("order+SYSTEM", Ok(0)),
        ("Order+system,+old", Ok(1)),
        ("news", Ok(2)),
        ("order", Err("Several endpoints are called so.")),
        ("loyalty", Err("No endpoint is called so.")),
        ("ep_1", Err("No endpoint is called so.")),
    ] {
        for (list, path) in ["/deliveries", "/failed"].into_iter().enumerate() {
            let page = shop.get(&format!("{path}?endpoint={typed}")).await;
            for (number, link) in links.iter().enumerate() {
                let is_shown = page.body.contains(&link[list]);
                assert_eq!(is_shown, found == Ok(number), "{path} {typed} {number}");
            }
            if let Err(error) = found {
                assert_eq!(page.status, 400, "{path} {typed}");
                assert!(
                    page.error("endpoint").unwrap().contains(error),
                    "{path} {typed}"
                );
            }
        }
    }
    let page = shop.get("/failed?endpoint=order").await;
    let error = page.error("endpoint").unwrap();
    assert!(
        error.contains(&ids[0]) && error.contains(&ids[1]),
        "{error}"
    );

    let path = format!("/api/v1/endpoints/{}", ids[1]);
    assert_eq!(console.delete(&path, SHOP).await.status, 204);
    let link = |id: &str| format!("href=\"/endpoints/{id}\"");
    until("the audit has it", async || {
        shop.get("/settings/audit")
            .await
            .body
            .contains("Endpoint deleted</div>")
    })
    .await;
    let audit = shop.get("/settings/audit").await;
    audit.has(&format!(
        "{} title=\"{}\">Order system</a>",
        link(&ids[0]),
        ids[0]
    ));
    audit.has("Newsletter &lt;b&gt;</a>");
    audit.has_not(&link(&ids[1]));
    audit.has(&format!("title=\"{}\"", ids[1]));
}
