//! A secret in the settings.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// What is shown in place of a secret.
pub(super) const MASK: &str = "********";

/// A secret text: reads as plain text, prints and debugs as `********`.
/// [`super::load`] never tells its value in an error.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Masked(String);

impl Masked {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself. Never log or print it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(MASK)
    }
}

impl Serialize for Masked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        mask(&self.0, serializer)
    }
}

/// Serialises an empty text as it is, so that `--print-config` shows what is not set.
pub(super) fn mask<S: Serializer>(secret: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if secret.is_empty() { "" } else { MASK })
}
