//! Forms that none of our own pages has sent.

use console::{Access, page_routes};
use reqwest::Method;

use super::fixture::{Console, SHOP, cluster};
use super::visitor::{Visitor, filled, on_loopback};

#[tokio::test]
async fn no_form_is_taken_from_elsewhere_or_without_the_sessions_own_token() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let (api_path, answer) = console.endpoint("http://127.0.0.1:9/closed").await;
    let visitor = Visitor::signed_in(&console, SHOP).await;
    let another = Visitor::signed_in(&console, SHOP).await;
    let own = ("sec-fetch-site", "same-origin");
    let token = visitor.form_token.as_str();
    let forged = [
        ("no word of where it comes from", None, token),
        (
            "another site",
            Some(("sec-fetch-site", "cross-site")),
            token,
        ),
        ("a neighbour", Some(("sec-fetch-site", "same-site")), token),
        (
            "another origin",
            Some(("origin", "https://evil.example")),
            token,
        ),
        ("no origin", Some(("origin", "null")), token),
    ];
    let without = [
        ("no token", Some(own), ""),
        ("a wrong token", Some(own), "AAAAAAAAAAAAAAAAAAAAAA"),
        (
            "another session's token",
            Some(own),
            another.form_token.as_str(),
        ),
    ];
    for route in page_routes() {
        if route.method != "POST" {
            continue;
        }
        let path = route.path.replace("{id}", answer.text("id"));
        let needs_token = route.access != Access::Open;
        let cases = forged.iter().chain(without.iter().filter(|_| needs_token));
        for (why, origin, token) in cases {
            let mut request = visitor.request(Method::POST, &path);
            if let Some((name, value)) = origin {
                request = request.header(*name, *value);
            }
            let fields = [("form_token", *token), ("token", SHOP), ("do", "save")];
            let page = visitor.send(filled(request, &fields)).await;
            assert_eq!(page.status, 403, "{path}: {why}");
            assert!(page.set_cookies().is_empty(), "{path}: {why}");
            page.has("The form is no longer valid");
        }
    }
    let after = console.get(&api_path, SHOP).await;
    assert_eq!(after.header("etag"), answer.header("etag"));
}

#[tokio::test]
async fn a_browser_without_fetch_metadata_sends_its_origin() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let visitor = Visitor::new(&console);
    let request = visitor.request(Method::POST, "/sign-in");
    let request = request.header("origin", console.base.as_str());
    let page = visitor.send(filled(request, &[("token", SHOP)])).await;
    assert_eq!(page.status, 303);
}
