//! What is told about a wrong setting.

use std::error::Error;
use std::fmt;

use super::layers::{DEFAULTS, ENVIRONMENT, PREFIX, PROPERTIES, SEPARATOR};

/// A wrong setting. Displays the key, the value found (unless it is secret), where it came
/// from, what is allowed and what to do. A binary ends with exit code 64 on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    wrong: Box<Wrong>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Wrong {
    key: String,
    found: Option<String>,
    origin: Option<String>,
    allowed: String,
}

impl SettingsError {
    /// `key` is dotted as in TOML (`http.listen`, `auth.tokens[2].sha256`); `allowed` says what
    /// may stand there. For a binary's checks of settings against each other.
    pub fn new(
        key: impl Into<String>,
        found: impl fmt::Display,
        allowed: impl Into<String>,
    ) -> Self {
        Self::build(key.into(), Some(found.to_string()), allowed.into())
    }

    /// As [`Self::new`], for a secret: the value found is not told.
    pub fn secret(key: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self::build(key.into(), None, allowed.into())
    }

    fn build(key: String, found: Option<String>, allowed: String) -> Self {
        Self {
            wrong: Box::new(Wrong {
                key,
                found,
                origin: None,
                allowed,
            }),
        }
    }

    /// Adds where the value came from: a file's path or `the environment`.
    #[must_use]
    pub(super) fn from(mut self, origin: Option<String>) -> Self {
        self.wrong.origin = origin;
        self
    }

    /// The dotted key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.wrong.key
    }

    /// The environment variable that sets `key`, or the list that holds it.
    fn variable(&self) -> String {
        let list = self.wrong.key.split('[').next().unwrap_or_default();
        let path = match list.strip_prefix(PROPERTIES) {
            Some(property) => {
                let head = PROPERTIES.replace('.', SEPARATOR);
                format!("{head}{}", property.replace('.', "_"))
            }
            None => list.replace('.', SEPARATOR),
        };
        format!("{PREFIX}{}", path.to_uppercase())
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Wrong {
            key,
            found,
            origin,
            allowed,
        } = &*self.wrong;
        let found = found.as_deref().unwrap_or("a secret value (not shown)");
        write!(out, "{key}: found {found}")?;
        if let Some(origin) = origin {
            write!(out, " in {origin}")?;
        }
        write!(out, "; allowed: {allowed}.")?;
        if key.starts_with('-') {
            return Ok(());
        }
        let variable = self.variable();
        match origin.as_deref() {
            Some(ENVIRONMENT) => write!(out, " Correct {variable}."),
            None | Some(DEFAULTS) => {
                write!(out, " Set it in a --config file or by {variable}.")
            }
            Some(_) => write!(out, " Correct it there."),
        }
    }
}

impl Error for SettingsError {}
