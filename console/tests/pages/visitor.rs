//! Somebody with a browser: cookies, and forms as pages of the console send them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use console::settings::Settings;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, StatusCode};

use super::fixture::{Console, settings};

/// The settings of the tests, on this machine without TLS.
pub(crate) fn on_loopback(brokers: &str) -> Settings {
    let mut settings = settings(brokers);
    settings.session.allow_plain_http_on_loopback = true;
    settings
}

/// With the fields of a form.
pub(crate) fn filled(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.finish())
}

/// Somebody with a browser.
pub(crate) struct Visitor {
    base: String,
    client: reqwest::Client,
    pub(crate) cookies: Mutex<BTreeMap<String, String>>,
    pub(crate) language: &'static str,
    /// What the pages of the session put into their forms.
    pub(crate) form_token: String,
}

/// A page that was read whole.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Visitor {
    /// Who has never been there.
    pub(crate) fn new(console: &Console) -> Self {
        let client = reqwest::Client::builder().redirect(Policy::none());
        Self {
            base: console.base.clone(),
            client: client.build().unwrap(),
            cookies: Mutex::default(),
            language: "en",
            form_token: String::new(),
        }
    }

    /// Who has signed in; an empty token is nobody.
    pub(crate) async fn signed_in(console: &Console, token: &str) -> Self {
        let mut visitor = Self::new(console);
        if token.is_empty() {
            return visitor;
        }
        let page = visitor.post("/sign-in", &[("token", token)]).await;
        assert_eq!(page.status, 303, "{}", page.body);
        let page = visitor.get("/overview").await;
        page.form_token().clone_into(&mut visitor.form_token);
        visitor
    }

    /// The same browser at another console.
    pub(crate) fn at(&self, console: &Console) -> Self {
        Self {
            cookies: Mutex::new(self.cookies.lock().unwrap().clone()),
            form_token: self.form_token.clone(),
            ..Self::new(console)
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.send(self.request(Method::GET, path)).await
    }

    /// A form of one of our own pages.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut all = vec![("form_token", self.form_token.as_str())];
        all.extend_from_slice(fields);
        let request = filled(self.request(Method::POST, path), &all);
        self.send(request.header("sec-fetch-site", "same-origin"))
            .await
    }

    /// As a browser asks for a page.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let cookies = self.cookies.lock().unwrap();
        let cookies = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        self.client
            .request(method, format!("{}{path}", self.base))
            .header("accept", "text/html,*/*;q=0.8")
            .header("accept-language", self.language)
            .header("cookie", cookies.collect::<Vec<_>>().join("; "))
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Page {
        let mut response = request.send().await.unwrap();
        let kind = response.headers().get("content-type");
        // Such a stream has no end; its first event says enough.
        let has_end = kind.is_none_or(|kind| kind != "text/event-stream");
        let mut body = Vec::new();
        while (has_end || body.is_empty())
            && let Some(chunk) = response.chunk().await.unwrap()
        {
            body.extend_from_slice(&chunk);
        }
        let page = Page {
            status: response.status(),
            headers: response.headers().clone(),
            body: String::from_utf8(body).unwrap(),
        };
        let mut cookies = self.cookies.lock().unwrap();
        for cookie in page.set_cookies() {
            let (name, rest) = cookie.split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap();
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        page
    }
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        let cookies = self.headers.get_all("set-cookie").iter();
        cookies.map(|cookie| cookie.to_str().unwrap()).collect()
    }

    fn form_token(&self) -> &str {
        self.value("form_token")
    }

    /// What a hidden field holds.
    pub(crate) fn value(&self, field: &str) -> &str {
        let mark = format!("name=\"{field}\" value=\"");
        let (_, after) = self.body.split_once(&mark).expect("the field is there");
        after.split_once('"').expect("it ends").0
    }

    /// What stands beside a field as its error.
    pub(crate) fn error(&self, field: &str) -> Option<&str> {
        let mark = format!("id=\"{field}-error\">");
        let (_, after) = self.body.split_once(&mark)?;
        let (_, text) = after.split_once("</span>")?;
        Some(text.split_once("</p>")?.0.trim())
    }

    /// Panics with the page where the text is not in it.
    pub(crate) fn has(&self, text: &str) {
        assert!(
            self.body.contains(text),
            "{text:?} is not in:\n{}",
            self.body
        );
    }

    /// Panics with the page where the text is in it.
    pub(crate) fn has_not(&self, text: &str) {
        assert!(!self.body.contains(text), "{text:?} is in:\n{}", self.body);
    }
}
