//! Deliveries: found, told, and sent again.

use std::time::Duration;

use domain::{AfterAttempt, DeadLetterReason, DeferReason, EndpointId, Timestamp};

use super::failed_service::FailedService;
use super::fixture::{Console, OPERATOR, OTHER, SHOP, cluster, until};
use super::visitor::{Visitor, on_loopback};
use super::written::{Written, holds};

const GIVEN_UP: AfterAttempt = AfterAttempt::DeadLetter {
    reason: DeadLetterReason::AttemptsExhausted,
};

fn due() -> Timestamp {
    Timestamp::now() + Duration::from_secs(7_500)
}

fn retry() -> AfterAttempt {
    AfterAttempt::Retry {
        due_at: due(),
        tier: "2m".parse().unwrap(),
    }
}

#[tokio::test]
async fn deliveries_are_found_by_what_the_url_asks_for() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let console = Console::start(on_loopback(&brokers)).await;
    let written = Written::on(&brokers);
    let (_, answer) = console.endpoint("http://127.0.0.1:9/closed").await;
    let known: EndpointId = answer.text("id").parse().unwrap();
    let deleted = EndpointId::generate();
    let (one, other) = (written.event("shop").await, written.event("shop").await);
    written.attempt(&one, known, 1, retry()).await;
    written
        .attempt(&other, known, 1, AfterAttempt::Delivered)
        .await;
    let failed = written.attempt(&other, deleted, 1, GIVEN_UP).await;
    holds(&console, 3).await;

    let shop = Visitor::signed_in(&console, SHOP).await;
    let link = |event: &super::written::Event, endpoint| {
        format!("href=\"/deliveries/{}.{endpoint}\"", event.id)
    };
    let (waiting, delivered) = (link(&one, known), link(&other, known));
    let given_up = link(&other, deleted);
    let all = [&waiting, &delivered, &given_up];
    for (query, found) in [
        (String::new(), all.to_vec()),
        (format!("id={}", one.id), vec![&waiting]),
        (format!("id=+{failed}+"), vec![&given_up]),
        (format!("endpoint={known}"), vec![&waiting, &delivered]),
        (
            "event=rating_submitted&state=failed".to_owned(),
            vec![&given_up],
        ),
        ("event=new_feedback".to_owned(), vec![]),
        ("since=2024-01-01T00:00".to_owned(), all.to_vec()),
        (
            "until=2024-01-01T00:00&since=2023-12-31T00:00".to_owned(),
            vec![],
        ),
    ] {
        let page = shop.get(&format!("/deliveries?{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        for link in all {
            assert_eq!(
                page.body.contains(link),
                found.contains(&link),
                "{query}: {link}"
            );
        }
    }
    let page = shop.get("/deliveries").await;
    page.has("in 2 hours");
    page.has("127.0.0.1:9/closed");
    page.has("All attempts have failed.");
    for (wrong, field) in [
        ("id=evt_1", "id"),
        ("endpoint=ep_1", "endpoint"),
        ("since=yesterday", "since"),
        ("since=2024-02-01T00:00&until=2024-01-01T00:00", "until"),
    ] {
        let page = shop.get(&format!("/deliveries?{wrong}")).await;
        assert_eq!(page.status, 400, "{wrong}");
        assert!(page.error(field).is_some(), "{wrong}");
        page.has_not(&waiting);
    }
    for (token, sees) in [(OTHER, false), (OPERATOR, true)] {
        let who = Visitor::signed_in(&console, token).await;
        let page = who.get(&format!("/deliveries?id={}", one.id)).await;
        assert_eq!(page.body.contains(&waiting), sees, "{token}");
        let page = who.get("/deliveries?account=shop").await;
        assert_eq!(page.status, if sees { 200 } else { 403 });
    }
}

#[tokio::test]
async fn a_time_line_says_what_happened_what_comes_and_what_is_sent() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let console = Console::start(on_loopback(&brokers)).await;
    let written = Written::on(&brokers);
    let event = written.event("shop").await;
    let endpoint = EndpointId::generate();
    written.attempt(&event, endpoint, 1, retry()).await;
    let deferred = AfterAttempt::Deferred {
        due_at: due(),
        tier: "10m".parse().unwrap(),
        reason: DeferReason::Paused,
    };
    let id = written.attempt(&event, endpoint, 2, deferred).await;
    holds(&console, 2).await;

    let shop = Visitor::signed_in(&console, SHOP).await;
    let path = format!("/deliveries/{id}");
    let page = shop.get(&path).await;
    page.has("Attempt 1");
    page.has("Status 503");
    page.has("&lt;b&gt;told&lt;/b&gt;");
    page.has_not("<b>told");
    page.has("The endpoint is overloaded.");
    // Which says all that the program does.
    page.has_not("503 Service Unavailable");
    page.has("Put off, without an attempt");
    page.has("The endpoint is paused.");
    page.has("Attempt 2 comes");
    page.has("id=\"delivery\" data-changes=\"/changes\"");
    page.has("data-time=\"countdown\">in 2 hours");
    page.has_not("product_sku");
    let page = shop.get(&format!("{path}?show=payload")).await;
    page.has("product_sku");
    // Byte by byte what is delivered.
    page.has(std::str::from_utf8(&event.bytes).unwrap());
    assert_eq!(shop.get("/deliveries/evt_1.ep_1").await.status, 404);

    written.attempt(&event, endpoint, 2, GIVEN_UP).await;
    written
        .attempt(&event, endpoint, 1, AfterAttempt::Delivered)
        .await;
    holds(&console, 4).await;
    let page = shop.get(&path).await;
    page.has("The endpoint has taken it,");
    page.has("The schedule begins anew");
    page.has_not("comes");
}

#[tokio::test]
async fn what_holds_a_delivery_and_whether_it_can_be_sent_again_is_said_by_its_endpoint() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let console = Console::start(on_loopback(&brokers)).await;
    let written = Written::on(&brokers);
    let event = written.event("shop").await;
    let (_, answer) = console.endpoint("http://127.0.0.1:9/closed").await;
    let endpoint: EndpointId = answer.text("id").parse().unwrap();
    let put_off = || AfterAttempt::Deferred {
        due_at: Timestamp::from_millis(Timestamp::now().millis() - 60_000),
        tier: "10m".parse().unwrap(),
        reason: DeferReason::Unresponsive,
    };
    written.attempt(&event, endpoint, 1, retry()).await;
    for _ in 0..3 {
        written.attempt(&event, endpoint, 2, put_off()).await;
    }
    let given_up = written.attempt(&event, EndpointId::generate(), 1, GIVEN_UP);
    let given_up = given_up.await;
    holds(&console, 5).await;

    let shop = Visitor::signed_in(&console, SHOP).await;
    let path = format!("/deliveries/{}.{endpoint}", event.id);
    let page = shop.get(&path).await;
    page.has("Put off 3 times, without an attempt");
    page.has("it waits until the endpoint takes more");
    page.has("Send again");
    let page = shop.get(&format!("/endpoints/{endpoint}")).await;
    page.has("Every attempt has failed since");
    let ask = shop.get(&format!("/endpoints/{endpoint}/delete")).await;
    ask.has("1 delivery that waits for it");
    shop.post(&format!("/endpoints/{endpoint}/pause"), &[])
        .await;
    let page = shop.get(&path).await;
    page.has("It goes out once its endpoint is resumed.");
    page.has("Send again");
    let page = shop.get(&format!("/deliveries/{given_up}")).await;
    page.has("Its endpoint has been deleted: it cannot be sent any more.");
    page.has_not("Send again");
}

#[tokio::test]
async fn a_delivery_is_sent_again_with_the_token_of_whoever_asks() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let failed = FailedService::start(&brokers).await;
    let console = Console::start(failed.known_to(on_loopback(&brokers))).await;
    let written = Written::on(&brokers);
    let event = written.event("shop").await;
    let delivered = written.attempt(&event, EndpointId::generate(), 1, AfterAttempt::Delivered);
    let path = format!("/deliveries/{}", delivered.await);
    holds(&console, 1).await;

    let other = Visitor::signed_in(&console, OTHER).await;
    assert_eq!(other.post(&format!("{path}/resend"), &[]).await.status, 404);
    let shop = Visitor::signed_in(&console, SHOP).await;
    let page = shop.post(&format!("{path}/resend"), &[]).await;
    assert_eq!(page.status, 303, "{}", page.body);
    assert_eq!(page.location(), path);
    shop.get(&path).await.has("It is sent again.");
    until("the audit says who did it", async || {
        let audit = console.audit(OPERATOR, "").await;
        let items = audit.body["items"].as_array().unwrap();
        let is_it =
            |it: &serde_json::Value| it["action"] == "delivery_resent" && it["token"] == "shop";
        items.iter().any(is_it)
    })
    .await;
    let page = shop.get("/settings/audit?action=delivery_resent").await;
    page.has("shop");
    page.has_not("from feedback.events");
}

#[tokio::test]
async fn without_dlq_consumer_the_page_says_so_and_the_others_go_on() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let mut settings = on_loopback(&brokers);
    // Nothing listens there.
    "http://127.0.0.1:9".clone_into(&mut settings.failed.url);
    let console = Console::start(settings).await;
    let written = Written::on(&brokers);
    let event = written.event("shop").await;
    let id = written
        .attempt(&event, EndpointId::generate(), 1, GIVEN_UP)
        .await;
    holds(&console, 1).await;
    let shop = Visitor::signed_in(&console, SHOP).await;
    let page = shop.post(&format!("/deliveries/{id}/resend"), &[]).await;
    assert_eq!(page.status, 503);
    assert_eq!(page.header("retry-after"), "5");
    page.has("The failed list does not answer");
    assert_eq!(shop.get("/failed").await.status, 503);
    assert_eq!(shop.get(&format!("/deliveries/{id}")).await.status, 200);
}
