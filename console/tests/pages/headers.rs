//! What every page says to the browser.

use console::page_routes;

use super::fixture::{Console, SHOP, cluster};
use super::visitor::{Page, Visitor, on_loopback};

fn is_strict(page: &Page, path: &str) {
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
    for part in [
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(part), "{path}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{path}: {policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(page.header(name), value, "{path}: {name}");
    }
}

/// Nothing that the policy would forbid anyway.
fn has_nothing_inline(page: &Page, path: &str) {
    for part in ["<style", " style=", "javascript:", " onclick=", " onload="] {
        assert!(!page.body.contains(part), "{path}: {part}");
    }
    let scripts = page.body.matches("<script").count();
    assert_eq!(scripts, page.body.matches("<script src=\"/assets/").count());
    for attribute in ["src=\"", "href=\"", "action=\"", "formaction=\""] {
        for (_, after) in page
            .body
            .match_indices(attribute)
            .map(|(at, _)| page.body.split_at(at + attribute.len()))
        {
            let is_own = after.starts_with(['/', '#', '?']) && !after.starts_with("//");
            let url: String = after.chars().take(40).collect();
            assert!(is_own, "{path} leads elsewhere: {url}");
        }
    }
}

#[tokio::test]
async fn each_page_has_the_strict_headers_and_nothing_inline() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let (_, answer) = console.endpoint("http://127.0.0.1:9/closed").await;
    let visitor = Visitor::signed_in(&console, SHOP).await;
    let nobody = Visitor::new(&console);
    let mut pages = vec![("/sign-in".to_owned(), nobody.get("/sign-in").await)];
    for route in page_routes() {
        if route.method == "GET" && !route.path.starts_with("/assets/") {
            let path = route.path.replace("{id}", answer.text("id"));
            let page = visitor.get(&path).await;
            pages.push((path, page));
        }
    }
    for wrong in [
        "/nothing",
        "/endpoints/nonsense",
        "/endpoints?after=nonsense",
    ] {
        pages.push((wrong.to_owned(), visitor.get(wrong).await));
    }
    for (path, page) in &pages {
        is_strict(page, path);
        has_nothing_inline(page, path);
    }
}

#[tokio::test]
async fn assets_are_packed_and_kept_and_a_program_gets_problems() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let visitor = Visitor::new(&console);
    let page = visitor.get("/sign-in").await;
    let (_, after) = page.body.split_once("<script src=\"").unwrap();
    let script = after.split_once('"').unwrap().0;
    let plain = visitor.get(script).await;
    assert_eq!(
        plain.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    assert_eq!(
        plain.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert_eq!(plain.header("content-encoding"), "");
    let length: usize = plain.header("content-length").parse().unwrap();
    let request = visitor.request(reqwest::Method::HEAD, script);
    let packed = visitor
        .send(request.header("accept-encoding", "br, gzip;q=0.5"))
        .await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.header("content-length").parse::<usize>().unwrap() * 2 < length);

    let page = visitor.get("/nothing").await;
    assert_eq!(page.status, 404);
    assert!(page.header("content-type").starts_with("text/html"));
    let answer = console.get("/nothing", "").await;
    assert_eq!(answer.status, 404, "a problem document, as `get` has seen");
    let answer = console.get("/api/v1/nothing", SHOP).await;
    assert_eq!(answer.status, 404);
}
