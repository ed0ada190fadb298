//! German and English.

use console::page_routes;

use super::fixture::{Console, SHOP, cluster};
use super::visitor::{Visitor, on_loopback};

#[tokio::test]
async fn each_page_speaks_the_browsers_language() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let (_, answer) = console.endpoint("http://127.0.0.1:9/closed").await;
    let mut visitor = Visitor::signed_in(&console, SHOP).await;
    for route in page_routes() {
        let has_no_words = route.path.starts_with("/assets/") || route.path == "/changes";
        if route.method != "GET" || has_no_words {
            continue;
        }
        let path = route.path.replace("{id}", answer.text("id"));
        let path = path.replace("{operation}", "listDeliveries");
        let path = path.replace("{type}", "Delivery");
        for (accepted, tag, menu) in [
            ("de-DE,de;q=0.9,en;q=0.8", "de", "Endpunkte"),
            ("fr,en;q=0.5", "en", "Endpoints"),
        ] {
            visitor.language = accepted;
            let page = visitor.get(&path).await;
            if page.status == 303 {
                continue;
            }
            page.has(&format!("<html lang=\"{tag}\""));
            page.has(menu);
        }
    }
}

#[tokio::test]
async fn a_choice_of_language_and_theme_holds_also_before_the_sign_in() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let visitor = Visitor::new(&console);
    visitor.get("/sign-in").await.has("data-theme=\"system\"");
    for (field, value) in [("language", "de"), ("theme", "dark")] {
        let fields = [(field, value), ("back", "/sign-in?next=%2Fevents")];
        let page = visitor.post("/preferences", &fields).await;
        assert_eq!(page.location(), "/sign-in?next=%2Fevents");
    }
    let page = visitor.get("/sign-in").await;
    page.has("<html lang=\"de\" data-theme=\"dark\">");
    page.has("Anmelden");
    let page = visitor.post("/preferences", &[("language", "xx")]).await;
    assert!(page.set_cookies().is_empty());
}
