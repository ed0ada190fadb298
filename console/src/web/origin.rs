//! Our own origin, by the host that was asked: whether a form was sent from one of our
//! pages, which is the first of two defences against forged requests (the other is the
//! session's form token), and what our URLs begin with.

use axum::http::HeaderMap;
use axum::http::header::{self, AsHeaderName};

use super::own_page;

/// `Sec-Fetch-Site` says it (Fetch Metadata); browsers before 2023 send `Origin`,
/// which must name the host that was asked. Neither is a no.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    if let Some(site) = text(headers, "sec-fetch-site") {
        return site == "same-origin";
    }
    let host = text(headers, header::HOST);
    let origin = text(headers, header::ORIGIN).and_then(|origin| origin.split_once("://"));
    match (origin, host) {
        (Some((_, origin)), Some(host)) => origin.eq_ignore_ascii_case(host),
        (_, _) => false,
    }
}

/// Whether the request was sent to this machine by one of its own names.
pub(super) fn is_loopback(headers: &HeaderMap) -> bool {
    let host = text(headers, header::HOST).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

/// What our URLs begin with, for whoever asked this host; `None` where none was named
/// that a URL could have. It has TLS, but on this machine.
pub(crate) fn own_origin(headers: &HeaderMap) -> Option<String> {
    let host = text(headers, header::HOST)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let scheme = if is_loopback(headers) {
        "http"
    } else {
        "https"
    };
    (!host.is_empty() && host.bytes().all(is_plain)).then(|| format!("{scheme}://{host}"))
}

/// The page that a request came from, by its `Referer`, where that is one of ours.
pub(super) fn own_referer(headers: &HeaderMap) -> Option<&str> {
    let (_, referer) = text(headers, header::REFERER)?.split_once("://")?;
    let (host, _) = referer.split_once('/')?;
    let path = referer.get(host.len()..)?;
    let is_own = host.eq_ignore_ascii_case(text(headers, header::HOST)?);
    own_page(path).filter(|_| is_own)
}

fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name = header::HeaderName::from_static(name);
            (name, value.parse().unwrap())
        });
        pairs.collect()
    }

    #[test]
    fn only_our_own_pages_are_our_own() {
        let host = ("host", "console.example.com");
        for (fields, own) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://console.example.com"),
                    host,
                ],
                false,
            ),
            (&[("origin", "https://console.example.com"), host], true),
            (&[("origin", "https://evil.example.com"), host], false),
            (&[("origin", "null"), host], false),
            (&[host], false),
            (&[], false),
        ] {
            assert_eq!(is_own(&headers(fields)), own, "{fields:?}");
        }
    }

    #[test]
    fn our_urls_begin_with_the_host_that_was_asked() {
        for (host, origin) in [
            ("console.example.com", Some("https://console.example.com")),
            (
                "console.example.com:8443",
                Some("https://console.example.com:8443"),
            ),
            ("localhost:8080", Some("http://localhost:8080")),
            ("[::1]:8080", Some("http://[::1]:8080")),
            ("a\"b", None),
            ("", None),
        ] {
            let headers = headers(&[("host", host)]);
            assert_eq!(own_origin(&headers).as_deref(), origin, "{host}");
        }
        assert_eq!(own_origin(&headers(&[])), None);
    }

    #[test]
    fn only_our_own_pages_are_where_a_request_came_from() {
        let host = ("host", "console.example.com");
        for (referer, page) in [
            (
                "https://console.example.com/endpoints/new?a=b",
                Some("/endpoints/new?a=b"),
            ),
            ("https://CONSOLE.example.com/", Some("/")),
            ("https://console.example.com", None),
            ("https://console.example.com//evil.example/", None),
            ("https://evil.example/endpoints/new", None),
            ("https://console.example.com@evil.example/", None),
            ("/endpoints/new", None),
        ] {
            let headers = headers(&[("referer", referer), host]);
            assert_eq!(own_referer(&headers), page, "{referer}");
        }
        assert_eq!(own_referer(&headers(&[host])), None);
    }

    #[test]
    fn this_machine_has_three_names() {
        for (host, loopback) in [
            ("127.0.0.1", true),
            ("127.0.0.1:8080", true),
            ("localhost:8080", true),
            ("[::1]", true),
            ("[::1]:8080", true),
            ("localhost.example.com", false),
            ("127.0.0.1.example.com:8080", false),
            ("127.0.0.1:8080.example.com", false),
            ("console.example.com", false),
        ] {
            assert_eq!(is_loopback(&headers(&[("host", host)])), loopback, "{host}");
        }
    }
}
