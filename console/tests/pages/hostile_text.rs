//! Other people's text stays text.

use serde_json::json;

use super::fixture::{Console, SHOP, cluster};
use super::receiver::Receiver;
use super::visitor::{Visitor, on_loopback};

const SCRIPT: &str = "</pre></code><script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
/// It turns the direction of what follows.
const TURNED: &str = "\u{202e}gnp.exe";

#[tokio::test]
async fn names_urls_headers_and_filters_are_escaped_on_every_page() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let receiver = Receiver::start(200, SCRIPT).await;
    let body = json!({
        "url": format!("{}&q=%22%3Cb%3E'\"><script>alert(3)</script>", receiver.url),
        "events": ["rating_submitted"],
        "description": format!("{SCRIPT}{TURNED}"),
        "headers": {"X-Team": SCRIPT},
        "filter": [{"field": "product_sku", "operator": "starts_with", "value": SCRIPT}],
    });
    let answer = console.post("/api/v1/endpoints", SHOP, body).await;
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    let visitor = Visitor::signed_in(&console, SHOP).await;
    let path = format!("/endpoints/{}", answer.text("id"));
    for page in ["", "/edit", "/test", "/rotate", "/delete"] {
        let page = visitor.get(&format!("{path}{page}")).await;
        assert_eq!(page.status, 200);
        page.has_not("<script>");
        page.has_not("<img");
        page.has("&lt;script&gt;");
    }
    let list = visitor.get("/endpoints").await;
    list.has_not("<script>");
    list.has_not("\u{202e}");
    list.has("<span class=\"hidden-character\">U+202E</span>gnp.exe");
    for query in [
        "/endpoints?q=",
        "/settings/audit?subject=",
        "/sign-in?next=",
    ] {
        let typed: String = SCRIPT.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let page = visitor.get(&format!("{query}{typed}")).await;
        page.has_not("<script>");
        page.has_not("<img");
    }

    let fields = [("event", "rating_submitted")];
    let page = visitor.post(&format!("{path}/test"), &fields).await;
    page.has("Delivered");
    page.has("&lt;/pre&gt;&lt;/code&gt;&lt;script&gt;");
    page.has_not("<script>");
    page.has_not("<img");
    assert_eq!(receiver.received().len(), 1);
}
