//! The console's pages in a browser.

use crate::quickstart::Quickstart;

#[tokio::test(flavor = "multi_thread")]
async fn in_a_browser_the_pages_do_what_they_say() {
    let _alone = e2e::alone().await;
    let (running, _) = Quickstart::start();
    let at = |port: u16| format!("http://127.0.0.1:{port}");
    let (console, producer) = (at(running.console), at(running.producer));
    e2e::browser("console.mjs", &[&console, "demo", &producer]).await;
}
