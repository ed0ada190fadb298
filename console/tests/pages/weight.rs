//! What the first page costs over the wire.

use reqwest::Method;

use super::fixture::{Console, SHOP, cluster};
use super::visitor::{Visitor, on_loopback};

/// Bytes, with styles, script and icon.
const MOST: usize = 60_000;

#[tokio::test]
async fn each_first_page_stays_under_60_kb() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let visitor = Visitor::signed_in(&console, SHOP).await;
    for path in [
        "/sign-in",
        "/overview",
        "/endpoints",
        "/deliveries",
        "/endpoints/new",
        "/events",
    ] {
        let page = visitor.get(path).await;
        let mut bytes = page.body.len();
        for part in page.body.split("\"/assets/").skip(1) {
            let file = part.split_once('"').unwrap().0;
            let request = visitor.request(Method::HEAD, &format!("/assets/{file}"));
            let asset = visitor
                .send(request.header("accept-encoding", "gzip"))
                .await;
            bytes += asset.header("content-length").parse::<usize>().unwrap();
        }
        assert!(bytes < MOST, "{path}: {bytes} bytes");
    }
}
