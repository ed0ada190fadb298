//! The failed list: seen, exported, and its entries off it one by one and many at
//! once.

use domain::{AfterAttempt, EndpointId};

use super::failed_service::FailedService;
use super::fixture::{Console, OPERATOR, OTHER, SHOP, cluster, until};
use super::visitor::{Page, Visitor, on_loopback};
use super::written::{Written, holds};

/// `printf %s token-of-the-console-alone | sha256sum`
const ALONE: &str = "907e8ac40e095d2125cde09a3f545da8524628d1a037eb24810e206af326b47d";

/// A console with a failed list of some entries of `shop`.
struct Bed {
    _cluster: kafka::mock::Cluster,
    brokers: String,
    failed: FailedService,
    console: Console,
    ids: Vec<String>,
}

impl Bed {
    async fn with(entries: usize) -> Self {
        let cluster = cluster();
        let brokers = cluster.bootstrap_servers();
        let failed = FailedService::start(&brokers).await;
        let console = Console::start(failed.known_to(on_loopback(&brokers))).await;
        let written = Written::on(&brokers);
        let event = written.event("shop").await;
        let mut ids = Vec::new();
        for _ in 0..entries {
            let id = failed.gets(&event, EndpointId::generate()).await;
            ids.push(id.to_string());
        }
        let bed = Self {
            _cluster: cluster,
            brokers,
            failed,
            console,
            ids,
        };
        let shop = Visitor::signed_in(&bed.console, SHOP).await;
        until("all are on the list", async || {
            bed.listed(&shop, "").await.len() == entries
        })
        .await;
        bed
    }

    /// Waits until the list has just these: a job is done when its moves are
    /// durable, and the list reads them after that.
    async fn holds_only(&self, who: &Visitor, left: &[&String]) {
        until("what was moved has left the list", async || {
            self.listed(who, "").await == left
        })
        .await;
    }

    /// Which of them a page of the list shows.
    async fn listed(&self, who: &Visitor, query: &str) -> Vec<&str> {
        let page = who.get(&format!("/failed{query}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let ids = self.ids.iter().map(String::as_str);
        ids.filter(|id| page.body.contains(&format!("\"/failed/{id}\"")))
            .collect()
    }

    async fn shop(&self) -> Visitor {
        Visitor::signed_in(&self.console, SHOP).await
    }
}

/// What the page's form sends when its button is pressed.
fn hidden(page: &Page, fields: &[&'static str]) -> Vec<(&'static str, String)> {
    let filled = |name: &&'static str| {
        let mark = format!("name=\"{name}\" value=\"");
        let values = page.body.split(&mark).skip(1);
        let values = values.map(|rest| rest.split_once('"').unwrap().0.to_owned());
        values.map(|value| (*name, value)).collect::<Vec<_>>()
    };
    fields.iter().flat_map(filled).collect()
}

/// Confirms what was asked; where the job's page is.
async fn confirm(shop: &Visitor, asked: &Page) -> String {
    assert_eq!(asked.status, 200, "{}", asked.body);
    let names = [
        "action", "id", "endpoint", "event", "reason", "since", "until",
    ];
    let fields = hidden(asked, &names);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let page = shop.post("/resends", &fields).await;
    assert_eq!(page.status, 303, "{}", page.body);
    page.location().to_owned()
}

async fn is_done(shop: &Visitor, job: &str) -> Page {
    until("the job is done", async || {
        let page = shop.get(job).await;
        page.body.contains("Done")
    })
    .await;
    shop.get(job).await
}

#[tokio::test]
async fn a_list_that_does_not_know_the_token_is_no_fault_of_the_console() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let failed = FailedService::start(&brokers).await;
    let mut settings = failed.known_to(on_loopback(&brokers));
    let token = settings.auth.tokens.iter_mut().find(|it| it.id == "other");
    ALONE.clone_into(&mut token.unwrap().sha256);
    let console = Console::start(settings).await;
    let visitor = Visitor::signed_in(&console, "token-of-the-console-alone").await;
    for path in ["/failed", "/failed/some", "/failed/export", "/resends/some"] {
        let page = visitor.get(path).await;
        if page.status == 404 {
            continue;
        }
        assert_eq!(page.status, 502, "{path}");
        page.has("The failed list refuses your token");
        page.has("both need the same auth.tokens");
    }
    until("the console's own pages are there", async || {
        visitor.get("/deliveries").await.status == 200
    })
    .await;
}

#[tokio::test]
async fn entries_are_filtered_and_shown_to_their_account_and_operators() {
    let bed = Bed::with(3).await;
    let shop = bed.shop().await;
    let endpoint = bed.ids[1].split_once('.').unwrap().1;
    for (query, found) in [
        (format!("?endpoint={endpoint}"), 1),
        (
            "?reason=attempts_exhausted&event=rating_submitted".to_owned(),
            3,
        ),
        ("?reason=expired".to_owned(), 0),
        ("?event=new_feedback".to_owned(), 0),
        ("?until=2024-01-01T00:00".to_owned(), 0),
        ("?since=2024-01-01T00:00".to_owned(), 3),
    ] {
        assert_eq!(bed.listed(&shop, &query).await.len(), found, "{query}");
    }
    shop.get("/failed")
        .await
        .has("3 deliveries have been given up.");
    let wrong = shop.get("/failed?endpoint=ep_1").await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.error("endpoint").is_some());

    let entry = shop.get(&format!("/failed/{}", bed.ids[0])).await;
    entry.has("All attempts have failed.");
    entry.has("The endpoint is overloaded.");
    entry.has_not("told");
    let event = bed.ids[0].split_once('.').unwrap().0;
    let (start, end) = (event.split_at(10).0, event.split_at(event.len() - 4).1);
    entry.has(&format!("<title>Failed delivery {start}…{end} "));
    entry.has("product_sku");

    let other = Visitor::signed_in(&bed.console, OTHER).await;
    assert!(bed.listed(&other, "").await.is_empty());
    assert_eq!(other.get("/failed?account=shop").await.status, 403);
    let operator = Visitor::signed_in(&bed.console, OPERATOR).await;
    assert_eq!(bed.listed(&operator, "?account=shop").await.len(), 3);
    assert!(bed.listed(&operator, "?account=other").await.is_empty());
}

#[tokio::test]
async fn one_entry_is_sent_again_or_discarded_after_it_was_asked() {
    let bed = Bed::with(2).await;
    let shop = bed.shop().await;
    let [first, second] = [0, 1].map(|at: usize| format!("/failed/{}", bed.ids[at]));
    let page = shop.post(&format!("{first}/resend"), &[]).await;
    assert_eq!(page.status, 303, "{}", page.body);
    shop.get(page.location()).await.has("It is sent again");
    let page = shop.get(&format!("{second}/discard")).await;
    page.has("It cannot be brought back.");
    assert_eq!(bed.listed(&shop, "").await, [&bed.ids[1]]);
    let page = shop.post(&format!("{second}/discard"), &[]).await;
    assert_eq!(page.location(), "/failed");
    let page = shop.get("/failed").await;
    page.has("The delivery is discarded.");
    page.has("Nothing has failed");
}

#[tokio::test]
async fn a_link_to_an_entry_that_has_left_the_list_says_what_became_of_it() {
    let bed = Bed::with(2).await;
    let shop = bed.shop().await;
    for (id, way, what) in [
        (&bed.ids[0], "resend", "Delivery sent again"),
        (&bed.ids[1], "discard", "Delivery discarded"),
    ] {
        let entry = format!("/failed/{id}");
        shop.post(&format!("{entry}/{way}"), &[]).await;
        until("the audit tells of it", async || {
            shop.get(&entry).await.body.contains(what)
        })
        .await;
        for again in [
            shop.get(&entry).await,
            shop.get(&format!("{entry}/discard")).await,
            shop.post(&format!("{entry}/resend"), &[]).await,
            shop.post(&format!("{entry}/discard"), &[]).await,
        ] {
            assert_eq!(again.status, 410);
            again.has("No longer on the failed list");
            again.has("with the token shop");
        }
        let other = Visitor::signed_in(&bed.console, OTHER).await;
        let page = other.get(&entry).await;
        assert_eq!(page.status, 404);
        page.has_not(what);
    }
    let written = Written::on(&bed.brokers);
    let event = written.event("shop").await;
    let delivered = AfterAttempt::Delivered;
    let never = written.attempt(&event, EndpointId::generate(), 1, delivered);
    let never = never.await;
    holds(&bed.console, 1).await;
    assert_eq!(shop.get(&format!("/failed/{never}")).await.status, 404);
}

#[tokio::test]
async fn the_selected_are_counted_and_moved_by_a_job_that_survives_a_restart() {
    let bed = Bed::with(3).await;
    let shop = bed.shop().await;
    let page = shop.post("/failed/ask", &[("do", "resend_selected")]).await;
    assert_eq!(page.location(), "/failed");
    shop.get("/failed").await.has("select at least one");
    let endpoint = bed.ids[0].split_once('.').unwrap().1;
    let filtered = format!("/failed?endpoint={endpoint}");
    let fields = [("do", "discard_selected"), ("endpoint", endpoint)];
    let page = shop.post("/failed/ask", &fields).await;
    assert_eq!(
        page.location(),
        filtered,
        "all that match are no more than before"
    );
    let fields = [
        ("do", "resend_selected"),
        ("id", bed.ids[0].as_str()),
        ("id", bed.ids[2].as_str()),
    ];
    let asked = shop.post("/failed/ask", &fields).await;
    asked.has("Sends 2 deliveries again.");
    assert_eq!(bed.listed(&shop, "").await.len(), 3, "only asked");
    let job = confirm(&shop, &asked).await;
    let page = is_done(&shop, &job).await;
    page.has("2 of 2");
    page.has("<progress max=\"2\" value=\"2\"");
    page.has("2 sent again.");
    page.has_not("data-load");
    bed.holds_only(&shop, &[&bed.ids[1]]).await;
    shop.get("/failed").await.has(&format!("href=\"{job}\""));
    let page = shop.post(&format!("{job}/cancel"), &[]).await;
    assert_eq!(page.location(), job, "it has ended by itself");
    let other = Visitor::signed_in(&bed.console, OTHER).await;
    assert_eq!(other.get(&job).await.status, 404);

    bed.failed.stopped().await;
    assert_eq!(shop.get(&job).await.status, 503);
    let again = FailedService::start(&bed.brokers).await;
    let console = Console::start(again.known_to(on_loopback(&bed.brokers))).await;
    let shop = Visitor::signed_in(&console, SHOP).await;
    shop.get(&job).await.has("2 of 2");
}

#[tokio::test]
async fn all_that_match_are_those_that_were_counted() {
    let bed = Bed::with(3).await;
    let shop = bed.shop().await;
    let endpoint = bed.ids[1].split_once('.').unwrap().1;
    let fields = [("do", "discard_all"), ("endpoint", endpoint)];
    let asked = shop.post("/failed/ask", &fields).await;
    asked.has("Discards 1 delivery.");
    asked.has("It cannot be brought back.");
    asked.has("Chosen by: endpoint ");
    asked.has(&format!("href=\"/failed?endpoint={endpoint}\">Cancel"));
    // What fails after the count is not meant.
    assert!(!asked.value("until").is_empty());
    let job = confirm(&shop, &asked).await;
    is_done(&shop, &job).await.has("1 discarded.");
    bed.holds_only(&shop, &[&bed.ids[0], &bed.ids[2]]).await;
    let all = [("action", "discard")];
    assert_eq!(shop.post("/resends", &all).await.status, 400, "uncounted");
    assert_eq!(bed.listed(&shop, "").await.len(), 2);
}

#[tokio::test]
async fn what_was_done_with_many_is_told_in_words_of_the_language() {
    let bed = Bed::with(1).await;
    let (_, answer) = bed.console.endpoint("http://127.0.0.1:9/closed").await;
    let endpoint = answer.text("id");
    let event = Written::on(&bed.brokers).event("shop").await;
    bed.failed.gets(&event, endpoint.parse().unwrap()).await;
    let mut shop = bed.shop().await;
    let listed = format!("/failed?endpoint={endpoint}");
    until("it is on the list", async || {
        shop.get(&listed).await.body.contains("/failed/evt_")
    })
    .await;
    let fields = [
        ("do", "discard_all"),
        ("endpoint", endpoint),
        ("reason", "attempts_exhausted"),
        ("until", "2100-01-01T00:00"),
    ];
    let asked = shop.post("/failed/ask", &fields).await;
    let job = confirm(&shop, &asked).await;
    is_done(&shop, &job).await;
    let one = format!("/failed/{}/discard", bed.ids[0]);
    assert_eq!(shop.post(&one, &[]).await.status, 303);
    for (language, chosen, count, one) in [
        (
            "en",
            "endpoint “http://127.0.0.1:9/closed”, reason: All attempts have failed, \
             given up before 1 Jan 2100, 00:00 UTC",
            "1 delivery: ",
            "Given up before: All attempts have failed.",
        ),
        (
            "de",
            "Endpunkt „http://127.0.0.1:9/closed“, Grund: Alle Versuche sind gescheitert, \
             aufgegeben vor 01.01.2100 00:00 UTC",
            "1 Zustellung: ",
            "Zuvor aufgegeben: Alle Versuche sind gescheitert.",
        ),
    ] {
        shop.language = language;
        shop.get(&job).await.has(chosen);
        until("the audit tells of both", async || {
            let audit = shop.get("/settings/audit").await.body;
            audit.contains(&format!("{count}{chosen}")) && audit.contains(one)
        })
        .await;
    }
}

#[tokio::test]
async fn what_matches_is_exported_a_line_each() {
    let bed = Bed::with(3).await;
    let shop = bed.shop().await;
    let page = shop.get("/failed/export").await;
    assert_eq!(page.header("content-type"), "application/x-ndjson");
    assert!(page.header("content-disposition").contains("failed.ndjson"));
    let lines = page.body.lines().map(|line| {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        entry["id"].as_str().unwrap().to_owned()
    });
    assert_eq!(lines.collect::<Vec<_>>(), bed.ids);
    let page = shop.get("/failed/export?reason=expired").await;
    assert_eq!(page.body, "");
    let other = Visitor::signed_in(&bed.console, OTHER).await;
    assert_eq!(other.get("/failed/export").await.body, "");
    let wrong = shop.get("/failed/export?endpoint=ep_1").await;
    assert_eq!(wrong.status, 400, "a wrong filter is not everything");
}
