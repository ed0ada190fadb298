//! Who may see and do what, over the table of all routes.

use console::{Access, page_routes};
use domain::{AfterAttempt, EndpointId};

use super::failed_service::FailedService;
use super::fixture::{Console, INGEST, OPERATOR, OTHER, SHOP, cluster, until};
use super::visitor::{Page, Visitor, on_loopback};
use super::written::{Event, Written, holds};

/// An endpoint of `shop`: its id.
async fn endpoint(console: &Console) -> String {
    let (_, answer) = console.endpoint("http://127.0.0.1:9/closed").await;
    answer.text("id").to_owned()
}

/// An entry of `shop` on the failed list: its id.
async fn given_up(failed: &FailedService, event: &Event, shop: &Visitor) -> String {
    let id = failed.gets(event, EndpointId::generate()).await;
    let page = format!("/failed/{id}");
    until("it is on the list", async || {
        shop.get(&page).await.status == 200
    })
    .await;
    id.to_string()
}

/// Whether it leads to the sign-in page.
fn turned_away(page: &Page) -> bool {
    page.status == 303 && page.location().starts_with("/sign-in")
}

#[tokio::test]
async fn each_route_is_for_those_whom_the_table_names() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let failed = FailedService::start(&brokers).await;
    let console = Console::start(failed.known_to(on_loopback(&brokers))).await;
    let written = Written::on(&brokers);
    let event = written.event("shop").await;
    let to = EndpointId::generate();
    let delivery = written.attempt(&event, to, 1, AfterAttempt::Delivered);
    let delivery = delivery.await.to_string();
    holds(&console, 1).await;
    let shop = Visitor::signed_in(&console, SHOP).await;
    let job = shop.post("/resends", &[("action", "discard"), ("id", "none")]);
    let job = job.await.location().replace("/resends/", "");
    let nobody = Visitor::new(&console);
    let sign_in = nobody.get("/sign-in").await;
    let (_, style) = sign_in.body.split_once("href=\"/assets/").unwrap();
    let asset = style.split_once('"').unwrap().0.to_owned();

    for route in page_routes() {
        for token in ["", OTHER, SHOP, OPERATOR] {
            // A new one each time: what is asked may be its end, or the session's.
            let who = Visitor::signed_in(&console, token).await;
            let id = endpoint(&console).await;
            let named = match route.access {
                Access::Delivery => delivery.clone(),
                Access::Failed => given_up(&failed, &event, &shop).await,
                Access::Job => job.clone(),
                Access::Open | Access::SignedIn | Access::Endpoint => id.clone(),
            };
            let path = route.path.replace("{id}", &named).replace("{file}", &asset);
            let path = path.replace("{operation}", "createEndpoint");
            let path = path.replace("{type}", "Endpoint");
            let page = match route.method.as_str() {
                "GET" => who.get(&path).await,
                _ => who.post(&path, &[("version", "1")]).await,
            };
            let what = format!("{} {} with {token:?}: {}", route.method, path, page.status);
            assert!(page.status.as_u16() < 500, "{what}");
            match (route.access, token) {
                (Access::Open, _) => assert_ne!(page.status, 404, "{what}"),
                (_, "") => assert!(turned_away(&page), "{what}"),
                (Access::Endpoint | Access::Delivery | Access::Failed | Access::Job, OTHER) => {
                    assert_eq!(page.status, 404, "{what}");
                    page.has_not("127.0.0.1:9");
                    page.has_not("Status 200");
                }
                (_, _) if route.path == "/sign-out" => assert_eq!(page.status, 303, "{what}"),
                (_, _) => {
                    assert!(!turned_away(&page), "{what}");
                    assert!(![403, 404].contains(&page.status.as_u16()), "{what}");
                }
            }
            if matches!(token, "" | OTHER) {
                if route.access == Access::Failed {
                    let still = shop.get(&format!("/failed/{named}")).await;
                    assert_eq!(still.status, 200, "{what}");
                }
                let after = console.get(&format!("/api/v1/endpoints/{id}"), SHOP).await;
                assert_eq!(after.status, 200, "{what}");
                assert_eq!(after.header("etag"), "\"1\"", "{what}");
                assert_eq!(after.text("state"), "enabled", "{what}");
            }
        }
    }
}

#[test]
fn only_what_a_sign_in_needs_and_the_documents_are_open() {
    let open = page_routes().into_iter();
    let open = open.filter(|route| route.access == Access::Open);
    let open: Vec<String> = open
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(
        open,
        [
            "GET /assets/{file}",
            "GET /sign-in",
            "POST /sign-in",
            "POST /preferences",
            "GET /api",
            "GET /api/operations/{operation}",
            "GET /api/types/{type}"
        ]
    );
    for route in page_routes() {
        for (path, access) in [
            ("/endpoints/{id}", Access::Endpoint),
            ("/deliveries/{id}", Access::Delivery),
            ("/failed/{id}", Access::Failed),
            ("/resends/{id}", Access::Job),
        ] {
            let names = route.path.starts_with(path);
            assert_eq!(names, route.access == access, "{}", route.path);
        }
    }
}

#[tokio::test]
async fn lists_show_what_is_ones_own_and_operators_all() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let id = endpoint(&console).await;
    until("the audit has it", async || {
        let audit = console.audit(SHOP, "").await;
        audit.body.to_string().contains(&id)
    })
    .await;
    for (token, sees) in [(SHOP, true), (OTHER, false), (OPERATOR, true)] {
        let who = Visitor::signed_in(&console, token).await;
        for path in ["/endpoints", "/settings/audit"] {
            let page = who.get(path).await;
            assert_eq!(page.body.contains(&id), sees, "{path} with {token}");
        }
        let shops = who.get("/endpoints?account=shop").await;
        assert_eq!(shops.status, if sees { 200 } else { 403 }, "{token}");
        let audit = who.get("/settings/audit?account=shop").await;
        assert_eq!(audit.status, if sees { 200 } else { 403 }, "{token}");
    }
}

#[tokio::test]
async fn a_token_that_may_only_send_events_does_not_sign_in() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let visitor = Visitor::new(&console);
    let page = visitor.post("/sign-in", &[("token", INGEST)]).await;
    assert_eq!(page.status, 403);
    assert!(page.set_cookies().is_empty());
    page.has("This token may only");
}
