//! What a request says its body is.

use axum::http::{HeaderMap, header};

/// The kinds of body that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/json`: one event.
    Json,
    /// `application/x-ndjson`: one event a line.
    Ndjson,
    /// `text/plain`: what `navigator.sendBeacon` sends without a preflight.
    Text,
    /// None, or something else.
    Other,
}

impl Media {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let value = headers.get(header::CONTENT_TYPE);
        let text = value.and_then(|value| value.to_str().ok()).unwrap_or("");
        let essence = text.split(';').next().unwrap_or("").trim();
        let is = |name: &str| essence.eq_ignore_ascii_case(name);
        if is("application/json") {
            Self::Json
        } else if is("application/x-ndjson") {
            Self::Ndjson
        } else if is("text/plain") {
            Self::Text
        } else {
            Self::Other
        }
    }

    /// As metrics call it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Text => "beacon",
            Self::Other => "other",
        }
    }
}
