//! The quickstart's demo shop: over HTTP, as its page and its widget use it, and
//! in a browser.

use e2e::{Reply, client::send};
use reqwest::{Method, RequestBuilder, redirect::Policy};
use serde_json::{Value, json};

use crate::quickstart::{Quickstart, SOON};

/// What a script would do if it were one.
const HOSTILE: &str = "</pre><script>alert(1)</script>\n\nevent: x\ndata: \"'&\u{2028}";

fn http() -> reqwest::Client {
    let client = reqwest::Client::builder().redirect(Policy::none());
    client.build().expect("a client can be built")
}

impl Quickstart {
    fn shop(&self, path: &str) -> RequestBuilder {
        http().get(format!("http://127.0.0.1:{}/shop{path}", self.receiver))
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.receiver)
    }

    fn events(&self, method: Method, query: &str) -> RequestBuilder {
        let url = format!("http://127.0.0.1:{}/v1/events{query}", self.producer);
        http().request(method, url)
    }

    /// The token in the page.
    pub(crate) async fn widget_token(&self) -> String {
        let page = send(self.shop("")).await.expect(200).text();
        let (_, after) = page.split_once("data-token=\"").expect("it has a token");
        after.split_once('"').expect("it ends").0.to_owned()
    }

    /// A post of the widget.
    fn widget(&self, token: &str, origin: &str, key: &str) -> RequestBuilder {
        self.events(Method::POST, "")
            .bearer_auth(token)
            .header("origin", origin)
            .header("content-type", "application/json")
            .header("idempotency-key", key)
    }
}

/// The shop's feed, read as it comes.
struct Feed {
    answer: reqwest::Response,
    read: String,
}

impl Feed {
    async fn open(running: &Quickstart) -> Self {
        let answer = running.shop("/received").send().await.expect("an answer");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self {
            answer,
            read: String::new(),
        }
    }

    /// The first delivery that is as wanted, from the first one kept on.
    async fn delivery(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let find = async {
            loop {
                let (whole, _) = self.read.rsplit_once("\n\n").unwrap_or_default();
                let lines = whole.lines().filter_map(|line| line.strip_prefix("data: "));
                let found = lines
                    .map(|data| serde_json::from_str(data).expect("each event is JSON"))
                    .find(|delivery| wanted(delivery));
                if let Some(found) = found {
                    return found;
                }
                let chunk = self.answer.chunk().await.expect("the feed goes on");
                let chunk = chunk.expect("the feed does not end");
                self.read.push_str(&String::from_utf8_lossy(&chunk));
            }
        };
        let found = tokio::time::timeout(SOON, find).await;
        found.unwrap_or_else(|_| panic!("not in the feed: {}", self.read))
    }

    async fn event(&mut self, id: &Value) -> Value {
        self.delivery(|delivery| delivery["id"] == *id).await
    }
}

fn id(reply: Reply) -> Value {
    reply.expect(202).json()["id"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_page_holds_an_ingest_token_of_its_origin_and_nothing_more() {
    let (running, _) = Quickstart::start();
    let page = send(running.shop("")).await.expect(200);
    assert_eq!(page.header("content-language"), "de");
    let policy = page.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    let connect = format!("connect-src 'self' http://127.0.0.1:{};", running.producer);
    assert!(policy.contains(&connect), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    let english = running.shop("").header("accept-language", "en-GB,de;q=0.5");
    assert_eq!(send(english).await.header("content-language"), "en");

    let token = running.widget_token().await;
    let text = page.text();
    assert_eq!(text.matches("fbp_").count(), 1, "{text}");
    assert!(
        !text.contains("style=") && !text.contains("<script>"),
        "{text}"
    );
    // It opens no other door,
    for (port, path) in [
        (running.console, "/api/v1/endpoints"),
        (running.console, "/api/v1/audit"),
        (running.failed, "/webhooks/failed"),
    ] {
        let url = format!("http://127.0.0.1:{port}{path}");
        drop(send(http().get(url).bearer_auth(&token)).await.problem(403));
    }
    // and this one from its own pages only.
    let event = e2e::events::rating_submitted(5).to_string();
    for origin in ["https://evil.example", "null", "http://localhost:8083"] {
        let request = running.widget(&token, origin, "k").body(event.clone());
        drop(send(request).await.problem(403));
    }
    let without = running.events(Method::POST, "").bearer_auth(&token);
    let without = without.json(&e2e::events::rating_submitted(5));
    drop(send(without).await.problem(403));

    // A name that leads here reads neither the page nor the feed.
    for path in ["", "/received", "/widget.js"] {
        let foreign = running.shop(path).header("host", "rebound.example");
        drop(send(foreign).await.problem(421));
    }
    let localhost = format!("localhost:{}", running.receiver);
    let moved = send(running.shop("").header("host", localhost))
        .await
        .expect(307);
    assert_eq!(
        moved.header("location"),
        format!("{}/shop", running.origin())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_widget_is_small_and_needs_no_exception_from_a_policy() {
    let (running, _) = Quickstart::start();
    let widget = send(running.shop("/widget.js")).await.expect(200);
    assert!(widget.header("content-type").starts_with("text/javascript"));
    assert!(widget.body.len() < 10_000, "{} bytes", widget.body.len());
    for file in ["/widget.js", "/shop.js"] {
        let script = send(running.shop(file)).await.expect(200).text();
        for never in [
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "eval(",
            "Function(",
            "import(",
        ] {
            assert!(!script.contains(never), "{file} has {never}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_widget_posts_arrives_signed_in_the_feed() {
    let (mut running, _) = Quickstart::start();
    let (token, origin) = (running.widget_token().await, running.origin());
    let mut feed = Feed::open(&running).await;
    // Those from before are told first.
    feed.delivery(|delivery| delivery["event"] == "new_feedback")
        .await;

    let preflight = running
        .events(Method::OPTIONS, "")
        .header("origin", &origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type,idempotency-key",
        );
    let preflight = send(preflight).await.expect(204);
    assert_eq!(preflight.header("access-control-allow-origin"), origin);
    assert!(
        preflight
            .header("access-control-allow-headers")
            .contains("idempotency-key")
    );

    let feedback = json!({"event": "new_feedback", "data": {
        "comment": HOSTILE, "browser_locale": "de-DE",
        "session_duration_seconds": 12, "session_page": "/products/BW-440-RED",
    }})
    .to_string();
    let post = || {
        running
            .widget(&token, &origin, "click-1")
            .body(feedback.clone())
    };
    let first = id(send(post()).await);
    assert_eq!(
        id(send(post()).await),
        first,
        "the same key is the same event"
    );
    let delivery = feed.event(&first).await;
    assert_eq!(delivery["event"], "new_feedback");
    assert_eq!(delivery["signature"], "verified");
    assert_eq!(delivery["status"], 200);
    assert_eq!(delivery["attempt"], "1");
    let payload = delivery["payload"].as_str().expect("the payload is text");
    let payload: Value = serde_json::from_str(payload).expect("it is the envelope");
    assert_eq!(payload["id"], first);
    assert_eq!(payload["data"]["comment"], HOSTILE);

    // As navigator.sendBeacon does when the page is left.
    let beacon = running
        .events(Method::POST, &format!("?key={token}"))
        .header("origin", &origin)
        .header("content-type", "text/plain;charset=UTF-8")
        .body(e2e::events::widget_dismissed().to_string());
    let dismissed = id(send(beacon).await);
    assert_eq!(feed.event(&dismissed).await["signature"], "verified");

    // What others post to the receiver is told as what it is.
    let forged = http()
        .post(format!("{origin}/webhooks/feedback"))
        .header("webhook-id", "evt_<b>forged</b>")
        .header("x-feedbackpro-signature", "sha256=00")
        .body(HOSTILE);
    assert_eq!(send(forged).await.status, 401);
    let forged = feed.event(&json!("evt_<b>forged</b>")).await;
    assert_eq!(forged["signature"], "wrong");
    assert_eq!(forged["payload"], HOSTILE);

    let large = http().post(format!("{origin}/webhooks/feedback"));
    assert_eq!(send(large.body("x".repeat(65 * 1024))).await.status, 413);

    // Who watches does not hold the end up.
    let status = running.interrupt().await;
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_browser_a_click_becomes_a_signed_delivery() {
    let _alone = e2e::alone().await;
    let (running, _) = Quickstart::start();
    e2e::browser("shop.mjs", &[&format!("{}/shop", running.origin())]).await;
}
