//! An error while reading settings, on its way up from the value to the root.

use std::fmt::Display;

use config::{Value, ValueKind};
use serde::de::{self, Expected, Unexpected};

use super::SettingsError;

/// Characters of a found value that are told.
const MAX_FOUND_CHARS: usize = 100;

/// What went wrong; the key grows on the way up.
#[derive(Debug)]
pub(super) struct Misread {
    key: String,
    found: Found,
    origin: Option<String>,
    pub(super) allowed: String,
}

#[derive(Debug)]
enum Found {
    NotYetKnown,
    Hidden,
    Text(String),
}

impl Misread {
    pub(super) fn allowed(allowed: impl Display) -> Self {
        Self {
            key: String::new(),
            found: Found::NotYetKnown,
            origin: None,
            allowed: allowed.to_string(),
        }
    }

    pub(super) fn into_error(self) -> SettingsError {
        match self.found {
            Found::Hidden => SettingsError::secret(self.key, self.allowed),
            Found::NotYetKnown => SettingsError::new(self.key, "a wrong value", self.allowed),
            Found::Text(text) => SettingsError::new(self.key, text, self.allowed),
        }
        .from(self.origin)
    }

    pub(super) fn hide(mut self) -> Self {
        self.found = Found::Hidden;
        self
    }

    /// Fills in the value that stands there, unless a deeper place is known already.
    pub(super) fn at(mut self, place: Place) -> Self {
        match self.found {
            Found::NotYetKnown if place.secret => self.found = Found::Hidden,
            Found::NotYetKnown => self.found = Found::Text(place.found),
            Found::Hidden | Found::Text(_) => {}
        }
        self.origin = self.origin.or(place.origin);
        self
    }

    pub(super) fn under(mut self, segment: &str) -> Self {
        let dot = if self.key.is_empty() || self.key.starts_with('[') {
            ""
        } else {
            "."
        };
        self.key = format!("{segment}{dot}{}", self.key);
        self
    }
}

impl Display for Misread {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.allowed)
    }
}

impl std::error::Error for Misread {}

impl de::Error for Misread {
    fn custom<T: Display>(allowed: T) -> Self {
        Self::allowed(allowed)
    }

    fn invalid_type(_: Unexpected<'_>, allowed: &dyn Expected) -> Self {
        Self::allowed(allowed)
    }

    fn invalid_value(_: Unexpected<'_>, allowed: &dyn Expected) -> Self {
        Self::allowed(allowed)
    }

    fn unknown_variant(_: &str, allowed: &'static [&'static str]) -> Self {
        Self::allowed(allowed.join(", "))
    }

    fn unknown_field(field: &str, allowed: &'static [&'static str]) -> Self {
        let mut error = Self::allowed(format!("the keys {}", allowed.join(", ")));
        error.key = field.to_owned();
        error.found = Found::Text("an unknown key".to_owned());
        error
    }

    fn missing_field(field: &'static str) -> Self {
        let mut error = Self::allowed("a value, this key must be set");
        error.key = field.to_owned();
        error.found = Found::Text("nothing".to_owned());
        error
    }
}

/// A value as an error tells it. Where a table or list came from is not told: layers share it.
pub(super) struct Place {
    found: String,
    origin: Option<String>,
    secret: bool,
}

impl Place {
    pub(super) fn of(key: &str, value: &Value) -> Self {
        let origin = value.origin().map(str::to_owned);
        let (found, origin) = match &value.kind {
            ValueKind::Table(_) => ("a table".to_owned(), None),
            ValueKind::Array(_) => ("a list".to_owned(), None),
            ValueKind::Nil => ("nothing".to_owned(), None),
            ValueKind::String(text) => {
                let cut: String = text.chars().take(MAX_FOUND_CHARS).collect();
                let more = if cut.len() < text.len() { "…" } else { "" };
                (format!("{cut:?}{more}"), origin)
            }
            ValueKind::Boolean(_)
            | ValueKind::I64(_)
            | ValueKind::I128(_)
            | ValueKind::U64(_)
            | ValueKind::U128(_)
            | ValueKind::Float(_) => (value.to_string(), origin),
        };
        Self {
            found,
            origin,
            secret: sounds_secret(key),
        }
    }
}

/// Beside `Masked`, which covers only errors of its own: a wrong type or check may come
/// from elsewhere.
fn sounds_secret(key: &str) -> bool {
    let parts = [
        "password",
        "passphrase",
        "secret",
        "token",
        "sha256",
        "key.pem",
    ];
    parts.iter().any(|part| key.contains(part)) || key.ends_with("key") || key.ends_with("keys")
}
