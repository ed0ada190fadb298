//! Whether a form was sent from one of our own pages: the first of two defences
//! against forged requests (the other is the session's form token).

use axum::http::{HeaderMap, header};

/// `Sec-Fetch-Site` says it (Fetch Metadata); browsers before 2023 send `Origin`,
/// which must name the host that was asked. Neither is a no.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let host = text(header::HOST.as_str());
    let origin = text(header::ORIGIN.as_str()).and_then(|origin| origin.split_once("://"));
    match (origin, host) {
        (Some((_, origin)), Some(host)) => origin.eq_ignore_ascii_case(host),
        (_, _) => false,
    }
}

/// Whether the request was sent to this machine by one of its own names.
pub(super) fn is_loopback(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
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
