//! Sign-in, session and log-out.

use reqwest::Method;
use service::settings::Masked;

use super::fixture::{Console, SHOP, cluster, settings};
use super::visitor::{Visitor, filled, on_loopback};

#[tokio::test]
async fn a_sign_in_leads_to_the_page_that_was_wanted_and_a_log_out_ends_it() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let visitor = Visitor::new(&console);
    let page = visitor.get("/endpoints?state=paused").await;
    assert_eq!(page.status, 303);
    assert_eq!(
        page.location(),
        "/sign-in?next=%2Fendpoints%3Fstate%3Dpaused"
    );
    let page = visitor.get(page.location()).await;
    assert_eq!(page.value("next"), "/endpoints?state=paused");

    let fields = [("token", SHOP), ("next", "/endpoints?state=paused")];
    let page = visitor.post("/sign-in", &fields).await;
    assert_eq!(page.location(), "/endpoints?state=paused");
    let cookies = page.set_cookies();
    let [cookie] = cookies[..] else {
        panic!("{cookies:?}");
    };
    assert!(cookie.starts_with("session="), "{cookie}");
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200"),
        "{cookie}"
    );
    assert!(!cookie.contains(SHOP), "{cookie}");

    let page = visitor.get("/overview").await;
    assert_eq!(page.status, 200);
    page.has_not(SHOP);
    let token = page.value("form_token").to_owned();
    let page = visitor.post("/sign-out", &[("form_token", &token)]).await;
    assert_eq!(page.status, 403, "the first field of a name counts");
    let request = visitor.request(Method::POST, "/sign-out");
    let request = request.header("sec-fetch-site", "same-origin");
    let page = visitor
        .send(filled(request, &[("form_token", &token)]))
        .await;
    assert_eq!(page.location(), "/sign-in");
    let page = visitor.get("/sign-in").await;
    page.has("You are signed out.");
    visitor.get("/sign-in").await.has_not("You are signed out.");
    assert_eq!(visitor.get("/overview").await.status, 303);
}

#[tokio::test]
async fn a_session_that_has_ended_is_told_and_leads_back_to_the_form() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let ended = "Your session has ended.";
    let base = &console.base;
    for (referer, back) in [
        (format!("{base}/endpoints/new"), "/endpoints/new"),
        // What only an answer to a form was shown at leads on from there.
        (format!("{base}/failed/ask"), "/failed/ask"),
        ("https://evil.example/endpoints/new".to_owned(), ""),
        (format!("{base}//evil.example/"), ""),
    ] {
        let visitor = Visitor::new(&console);
        let request = visitor.request(Method::POST, "/endpoints/new");
        let request = request.header("sec-fetch-site", "same-origin");
        let request = filled(request.header("referer", &referer), &[("url", "typed")]);
        let page = visitor.send(request).await;
        assert_eq!(page.status, 303, "{referer}");
        let page = visitor.get(page.location()).await;
        page.has(ended);
        assert_eq!(page.value("next"), back, "{referer}");
        let fields = [("token", SHOP), ("next", back)];
        let page = visitor.post("/sign-in", &fields).await;
        let expected = if back.is_empty() { "/overview" } else { back };
        assert_eq!(page.location(), expected, "{referer}");
        let page = visitor.get(expected).await;
        assert!(
            [200, 303].contains(&page.status.as_u16()),
            "{}",
            page.status
        );
        page.has_not(ended);
    }

    // The script of a page that goes on leaves the words to the page that is loaded.
    let visitor = Visitor::new(&console);
    for path in ["/changes", "/overview", "/sign-in"] {
        let request = visitor.request(Method::GET, path);
        let page = visitor
            .send(request.header("sec-fetch-dest", "empty"))
            .await;
        assert_eq!(page.status == 303, path != "/sign-in", "{path}");
    }
    visitor.get("/sign-in").await.has(ended);

    // A cookie that opens nothing any more.
    let cookies = [("session".to_owned(), "ended".to_owned())];
    *visitor.cookies.lock().unwrap() = cookies.into();
    let page = visitor.get("/overview").await;
    visitor.get(page.location()).await.has(ended);

    // Whoever comes for the first time had none.
    let visitor = Visitor::new(&console);
    let page = visitor.get("/overview").await;
    visitor.get(page.location()).await.has_not(ended);
}

#[tokio::test]
async fn cookies_are_for_tls_only_but_on_this_machine_where_the_settings_allow_it() {
    let cluster = cluster();
    for (allowed, host, secure) in [
        (true, "127.0.0.1:8080", false),
        (true, "console.example.com", true),
        (false, "127.0.0.1:8080", true),
    ] {
        let mut settings = settings(&cluster.bootstrap_servers());
        settings.session.allow_plain_http_on_loopback = allowed;
        let console = Console::start(settings).await;
        let visitor = Visitor::new(&console);
        let request = visitor.request(Method::POST, "/sign-in");
        let request = request.header("host", host);
        let request = request.header("sec-fetch-site", "same-origin");
        let page = visitor.send(filled(request, &[("token", SHOP)])).await;
        let cookie = page.set_cookies()[0].to_owned();
        assert_eq!(cookie.starts_with("__Host-session="), secure, "{cookie}");
        assert_eq!(cookie.ends_with("; Secure"), secure, "{cookie}");
    }
}

#[tokio::test]
async fn what_somebody_else_has_made_or_altered_is_no_session() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let visitor = Visitor::signed_in(&console, SHOP).await;
    let genuine = visitor.cookies.lock().unwrap()["session"].clone();
    let mut altered = genuine.clone();
    let last = if altered.pop() == Some('A') { 'B' } else { 'A' };
    altered.push(last);
    for cookie in ["", "x", SHOP, altered.as_str()] {
        let cookies = [("session".to_owned(), cookie.to_owned())];
        *visitor.cookies.lock().unwrap() = cookies.into();
        let page = visitor.get("/overview").await;
        assert_eq!(page.status, 303, "{cookie}");
    }
    let cookies = [("session".to_owned(), genuine)];
    *visitor.cookies.lock().unwrap() = cookies.into();
    assert_eq!(visitor.get("/overview").await.status, 200);
}

#[tokio::test]
async fn a_session_holds_on_each_console_that_knows_its_key_and_its_token() {
    let cluster = cluster();
    let all = on_loopback(&cluster.bootstrap_servers());
    let console = Console::start(all.clone()).await;
    let visitor = Visitor::signed_in(&console, SHOP).await;

    let second = Console::start(all.clone()).await;
    assert_eq!(visitor.at(&second).get("/overview").await.status, 200);

    let mut without_token = all.clone();
    without_token.auth.tokens.retain(|token| token.id != "shop");
    let third = Console::start(without_token).await;
    assert_eq!(visitor.at(&third).get("/overview").await.status, 303);

    let mut other_key = all;
    other_key.secrets.keys[0].key = Masked::new("IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=");
    let fourth = Console::start(other_key).await;
    assert_eq!(visitor.at(&fourth).get("/overview").await.status, 303);
}

#[tokio::test]
async fn a_sign_in_never_leads_to_another_host() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
    ] {
        let visitor = Visitor::new(&console);
        let fields = [("token", SHOP), ("next", next)];
        let page = visitor.post("/sign-in", &fields).await;
        assert_eq!(page.location(), "/overview", "{next}");
        let fields = [("theme", "dark"), ("back", next)];
        let page = visitor.post("/preferences", &fields).await;
        assert_eq!(page.location(), "/", "{next}");
    }
}

#[tokio::test]
async fn wrong_tokens_are_limited_and_then_the_right_one_waits_too() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let visitor = Visitor::new(&console);
    for _ in 0..10 {
        let page = visitor.post("/sign-in", &[("token", "guessed")]).await;
        assert_eq!(page.status, 401);
        assert!(page.error("token").unwrap().contains("not known"));
        assert_eq!(page.body.matches("not known").count(), 1, "said once");
        page.has_not("guessed");
    }
    let page = visitor.post("/sign-in", &[("token", SHOP)]).await;
    assert_eq!(page.status, 429);
    let seconds: u64 = page.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(page.error("token").unwrap().contains("Too many"));
    assert!(page.set_cookies().is_empty());
}
