//! Where the services of this installation are, as whoever asks calls them. The
//! committed documents name those of the quickstart.

use axum::http::HeaderMap;

use crate::web::own_origin;

/// Where clients call the services beside the console; `None` where that is at the
/// console's own origin, as behind one Ingress for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PublicUrls {
    pub(crate) producer: Option<String>,
    pub(crate) failed: Option<String>,
}

/// URLs in the committed documents, and what stands there instead.
pub(crate) struct Servers([(&'static str, String); 3]);

/// As `xtask` writes them.
const CONSOLE: &str = "http://localhost:8080";
const PRODUCER: &str = "http://localhost:8081";
const FAILED: &str = "http://localhost:8082";

impl Servers {
    /// For whoever sent a request with these headers.
    pub(crate) fn of(urls: &PublicUrls, headers: &HeaderMap) -> Self {
        let console = own_origin(headers).unwrap_or_else(|| CONSOLE.to_owned());
        let at = |url: &Option<String>| url.clone().unwrap_or_else(|| console.clone());
        let (producer, failed) = (at(&urls.producer), at(&urls.failed));
        Self([(CONSOLE, console), (PRODUCER, producer), (FAILED, failed)])
    }

    /// What a server of the document is called here.
    pub(super) fn called<'a>(&'a self, server: &'a str) -> &'a str {
        let here = self.0.iter().find(|(committed, _)| *committed == server);
        here.map_or(server, |(_, url)| url)
    }

    /// A document with the URLs of this installation.
    pub(super) fn put_into(&self, document: &str) -> String {
        // A URL is the whole of its text, and each is looked at once: one of ours may be
        // another's of the quickstart.
        let texts: Vec<&str> = document.split('"').map(|text| self.called(text)).collect();
        texts.join("\"")
    }
}
