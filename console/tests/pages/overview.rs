//! The overview: figures, charts, what waits, and who is told of changes.

use std::time::Duration;

use domain::{AfterAttempt, DeadLetterReason, EndpointId, Timestamp};
use reqwest::Method;

use super::failed_service::FailedService;
use super::fixture::{Console, OPERATOR, OTHER, SHOP, cluster};
use super::visitor::{Page, Visitor, on_loopback};
use super::written::{Written, holds};

/// A console with an endpoint of `shop` that took three deliveries, lets one
/// wait and failed one for good.
struct Bed {
    console: Console,
    id: EndpointId,
    /// Its brokers are gone with it.
    cluster: kafka::mock::Cluster,
}

impl Bed {
    async fn start() -> Self {
        let cluster = cluster();
        let brokers = cluster.bootstrap_servers();
        let console = Console::start(on_loopback(&brokers)).await;
        let (_, answer) = console.endpoint("https://shop.example.com/<b>hook").await;
        let id = answer.text("id").parse().unwrap();
        let written = Written::on(&brokers);
        let due_at = Timestamp::now() + Duration::from_secs(120);
        let tier = "2m".parse().unwrap();
        let reason = DeadLetterReason::AttemptsExhausted;
        for after in [
            AfterAttempt::Delivered,
            AfterAttempt::Delivered,
            AfterAttempt::Delivered,
            AfterAttempt::Retry { due_at, tier },
            AfterAttempt::DeadLetter { reason },
        ] {
            let event = written.event("shop").await;
            written.attempt(&event, id, 1, after).await;
        }
        holds(&console, 5).await;
        Self {
            console,
            id,
            cluster,
        }
    }
}

/// What stands on a tile or in a table behind a name.
fn figure<'a>(page: &'a Page, name: &str) -> &'a str {
    let parts = page.body.split("<dt>").skip(1);
    let mut parts = parts.filter_map(|part| part.split_once("</dt>"));
    let is_it = |term: &str| term == name || term.ends_with(&format!(">{name}</a>"));
    let (_, after) = parts.find(|(term, _)| is_it(term)).unwrap();
    let (_, after) = after.split_once('>').unwrap();
    after.split_once('<').unwrap().0
}

#[tokio::test]
async fn it_shows_what_became_of_deliveries_overall_and_of_one_endpoint() {
    let bed = Bed::start().await;
    let one = format!("endpoint={}", bed.id);
    let shop = Visitor::signed_in(&bed.console, SHOP).await;
    for range in ["1h", "24h", "7d"] {
        for whose in ["", one.as_str()] {
            let page = shop.get(&format!("/overview?range={range}&{whose}")).await;
            assert_eq!(page.status, 200);
            for (name, value) in [
                ("Delivered", "3"),
                ("Success rate", "60%"),
                ("Median time", "12\u{a0}ms"),
                ("95% within", "12\u{a0}ms"),
                ("Waiting", "1"),
                ("Given up", "1"),
            ] {
                assert_eq!(figure(&page, name), value, "{name} {range} {whose}");
            }
            for drawn in [
                "plot-good",
                "plot-wait",
                "plot-bad",
                "plot-half",
                "plot-most",
            ] {
                page.has(&format!("<path class=\"{drawn}\" d=\"M"));
            }
            page.has("<th scope=\"row\">2\u{a0}min</th>");
            page.has("shop.example.com/&lt;b&gt;hook");
            page.has_not("style=");
        }
    }
    let page = shop.get("/overview").await;
    page.has("1 endpoint is failing, since");
    page.has(&format!("<a href=\"/overview?endpoint={}\">", bed.id));
    let page = shop.get(&format!("/overview?{one}&range=24h")).await;
    page.has(&format!("?{one}&amp;range=7d").replace("&amp;", "&#38;"));
    page.has("Every attempt has failed since");
    let mut shop = shop;
    for (language, expires) in [("en", "within 3 days"), ("de", "innerhalb von 3 Tagen")] {
        shop.language = language;
        let page = shop.get("/settings/retry").await;
        page.has("<th scope=\"row\">2\u{a0}min</th>");
        page.has(expires);
    }
    shop.language = "en";
    assert_eq!(shop.get("/overview?endpoint=none").await.status, 404);
}

/// Where a tile leads.
fn link<'a>(page: &'a Page, name: &str) -> &'a str {
    let (before, _) = page
        .body
        .split_once(&format!("\">{name}</a></dt>"))
        .unwrap();
    before.rsplit_once('"').unwrap().1
}

#[tokio::test]
async fn each_tile_leads_to_the_deliveries_that_it_counts() {
    let bed = Bed::start().await;
    let failed = FailedService::start(&bed.cluster.bootstrap_servers()).await;
    let settings = failed.known_to(on_loopback(&bed.cluster.bootstrap_servers()));
    let console = Console::start(settings).await;
    holds(&console, 5).await;
    let shop = Visitor::signed_in(&console, SHOP).await;
    for whose in ["", &format!("&endpoint={}", bed.id)] {
        let page = shop.get(&format!("/overview?range=24h{whose}")).await;
        for (name, rows) in [("Delivered", 3), ("Waiting", 1)] {
            let link = link(&page, name).replace("&#38;", "&");
            assert!(link.ends_with(whose), "{link}");
            let list = shop.get(&link).await;
            assert_eq!(list.status, 200, "{link}");
            let found = list.body.matches("<th scope=\"row\"").count();
            assert_eq!(found, rows, "{link}");
        }
        let link = link(&page, "Given up").replace("&#38;", "&");
        assert!(
            link.starts_with("/failed?since=2") && link.ends_with(whose),
            "{link}"
        );
        assert_eq!(shop.get(&link).await.status, 200, "{link}");
    }
}

#[tokio::test]
async fn accounts_see_their_own_figures_and_operators_all() {
    let bed = Bed::start().await;
    let of_shop = format!("/overview?endpoint={}", bed.id);
    for (token, sees) in [(SHOP, true), (OTHER, false), (OPERATOR, true)] {
        let who = Visitor::signed_in(&bed.console, token).await;
        let page = who.get("/overview").await;
        assert_eq!(page.body.contains("shop.example.com"), sees, "{token}");
        assert_eq!(page.body.contains("plot-good"), sees, "{token}");
        let status = if sees { 200 } else { 404 };
        assert_eq!(who.get(&of_shop).await.status, status, "{token}");
        let retry = who.get("/settings/retry").await;
        assert_eq!(retry.body.contains("2\u{a0}min</th>"), sees, "{token}");
    }
    let nobody = Visitor::new(&bed.console);
    for path in ["/overview", "/changes", &of_shop] {
        let page = nobody.get(path).await;
        assert_eq!(page.status, 303, "{path}");
        assert!(page.location().starts_with("/sign-in"), "{path}");
    }
}

#[tokio::test]
async fn a_page_that_is_open_is_told_of_changes() {
    let bed = Bed::start().await;
    let shop = Visitor::signed_in(&bed.console, SHOP).await;
    shop.get("/overview").await.has("data-changes=\"/changes\"");
    let told = shop.get("/changes").await;
    assert_eq!(told.header("content-type"), "text/event-stream");
    assert!(told.body.starts_with("event: change"), "{}", told.body);
}

#[tokio::test]
async fn a_script_that_reads_a_page_again_takes_no_notice_from_another_one() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let (path, _) = console.endpoint("https://shop.example.com/hook").await;
    let shop = Visitor::signed_in(&console, SHOP).await;
    let page = path.replace("/api/v1", "");
    let paused = shop
        .post(&format!("{page}/pause"), &[("version", "1")])
        .await;
    assert_eq!(paused.status, 303);
    let again = shop.request(Method::GET, "/overview");
    let again = again.header("sec-fetch-dest", "empty");
    assert_eq!(shop.send(again).await.status, 200);
    shop.get(&page).await.has("The endpoint is paused.");
}
