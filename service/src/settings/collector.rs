//! `traces.endpoint`: where spans go.

use std::fmt;

use axum::http::Uri;
use axum::http::uri::{PathAndQuery, Scheme};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The base URL of an OTLP/HTTP collector, to which `/v1/traces` is added. Empty: none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectorUrl(Option<Uri>);

const ALLOWED: &str =
    "nothing, or the URL of an OTLP/HTTP collector, such as \"http://127.0.0.1:4318\"";

impl CollectorUrl {
    /// Where spans are posted to.
    #[must_use]
    pub fn traces(&self) -> Option<Uri> {
        let mut parts = self.0.clone()?.into_parts();
        let base = parts.path_and_query.as_ref().map_or("", |path| path.path());
        let path = format!("{}/v1/traces", base.trim_end_matches('/'));
        parts.path_and_query = PathAndQuery::try_from(path).ok();
        Uri::from_parts(parts).ok()
    }

    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(None));
        }
        let url: Uri = text.parse().ok()?;
        let http = [&Scheme::HTTP, &Scheme::HTTPS].contains(&url.scheme()?);
        // A password would be printed with the settings.
        let plain = !url.authority()?.as_str().contains('@') && url.query().is_none();
        (http && plain && !url.host()?.is_empty()).then_some(Self(Some(url)))
    }
}

impl fmt::Display for CollectorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .as_ref()
            .map_or(Ok(()), |url| fmt::Display::fmt(url, f))
    }
}

impl Serialize for CollectorUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CollectorUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(ALLOWED))
    }
}
