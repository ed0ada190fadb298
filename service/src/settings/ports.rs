//! `[admin]` and `[log]`, and addresses to listen on.

use std::net::SocketAddr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// `[admin]`: health and metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminSettings {
    /// Where `/livez`, `/readyz` and `/metrics` are served. They have no tokens.
    #[serde(with = "address")]
    pub listen: SocketAddr,
}

/// `[log]`: logs on stderr.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// One JSON object a line, or for people.
    pub format: LogFormat,
    /// A filter of `tracing_subscriber::EnvFilter`: `info`, `info,rdkafka=warn`.
    #[serde(deserialize_with = "level")]
    pub level: String,
}

/// A filter takes any word for a module's name and then shows nothing else: a level that is
/// misspelt would turn the log off.
fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let text = String::deserialize(deserializer)?;
    let named = |word: &str| LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level));
    let is_directive = |part: &str| match part.trim().rsplit_once('=') {
        Some((module, level)) => !module.is_empty() && named(level),
        None => named(part.trim()),
    };
    if text.split(',').all(is_directive) {
        Ok(text)
    } else {
        Err(D::Error::custom(
            "error, warn, info, debug or trace, also by module: info,rdkafka=warn",
        ))
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text, coloured on a terminal.
    Human,
}

/// An address to listen on: `#[serde(with = "service::settings::address")]`.
pub mod address {
    use std::fmt;
    use std::net::SocketAddr;

    use serde::de::{Error, Unexpected, Visitor};
    use serde::{Deserializer, Serializer};

    /// For serde's `with`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(addr: &SocketAddr, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(addr)
    }

    /// For serde's `with`.
    ///
    /// # Errors
    /// When the text is not an IP address with a port.
    pub fn deserialize<'de, D: Deserializer<'de>>(de: D) -> Result<SocketAddr, D::Error> {
        de.deserialize_str(AddressText)
    }

    struct AddressText;

    impl Visitor<'_> for AddressText {
        type Value = SocketAddr;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("an IP address and a port, such as \"0.0.0.0:8081\" or \"[::]:8081\"")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<SocketAddr, E> {
            text.parse()
                .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
        }
    }
}
