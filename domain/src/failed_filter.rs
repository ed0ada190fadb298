//! Which entries of the failed list are meant: what the list's filters choose
//! by, and what a bulk job is started with.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AccountId, DeadLetterReason, EndpointId, EventKind, Timestamp};

/// Entries that a selection names at most.
pub const MAX_SELECTED: usize = 1_000;
/// How long all names of a selection may be together, in bytes: delivery ids
/// have 73 each, and a job's record holds them.
pub const MAX_SELECTED_BYTES: usize = 128 * 1024;

/// Conditions that an entry must all meet; a missing one is met by any.
///
/// A condition that this version does not know makes the whole unreadable:
/// passed over, it would choose more than was meant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailedFilter {
    /// Of this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// For this endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<EndpointId>,
    /// Of this event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventKind>,
    /// Given up for this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<DeadLetterReason>,
    /// Failed at this moment or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Failed before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// One of these, by its id in the failed list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = MAX_SELECTED))]
    pub ids: Option<Vec<String>>,
}

/// A filter that nobody can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAFilter {
    /// It ends before it begins.
    #[error("it is before since")]
    UntilBeforeSince,
    /// A selection of none, or of too many.
    #[error("it has {0} entries, not 1 to {MAX_SELECTED}")]
    Selected(usize),
    /// A selection whose ids are longer than ids are.
    #[error("it has {0} bytes, more than {MAX_SELECTED_BYTES}")]
    SelectedBytes(usize),
}

impl NotAFilter {
    /// The field that is wrong.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::UntilBeforeSince => "until",
            Self::Selected(_) | Self::SelectedBytes(_) => "ids",
        }
    }
}

impl FailedFilter {
    /// Checks what the types leave open.
    ///
    /// # Errors
    /// The first mistake.
    pub fn check(&self) -> Result<(), NotAFilter> {
        if self
            .until
            .is_some_and(|until| self.since.is_some_and(|since| since > until))
        {
            return Err(NotAFilter::UntilBeforeSince);
        }
        let Some(ids) = &self.ids else {
            return Ok(());
        };
        if ids.is_empty() || ids.len() > MAX_SELECTED {
            return Err(NotAFilter::Selected(ids.len()));
        }
        let bytes = ids.iter().map(String::len).sum();
        if bytes > MAX_SELECTED_BYTES {
            return Err(NotAFilter::SelectedBytes(bytes));
        }
        Ok(())
    }
}

/// In words for a person: `endpoint=ep_... reason=expired`; `all` without a
/// condition. Of a selection only how many it names.
impl fmt::Display for FailedFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |name: &str, value: Option<&dyn fmt::Display>| {
            value.map(|value| format!("{name}={value}"))
        };
        let selected = self.ids.as_ref().map(Vec::len);
        let conditions = [
            text("account", self.account.as_ref().map(|it| it as _)),
            text("endpoint", self.endpoint.as_ref().map(|it| it as _)),
            text("event", self.event.as_ref().map(|it| it as _)),
            text(
                "reason",
                self.reason
                    .map(DeadLetterReason::as_str)
                    .as_ref()
                    .map(|it| it as _),
            ),
            text("since", self.since.as_ref().map(|it| it as _)),
            text("until", self.until.as_ref().map(|it| it as _)),
            text("selected", selected.as_ref().map(|it| it as _)),
        ];
        let conditions: Vec<String> = conditions.into_iter().flatten().collect();
        if conditions.is_empty() {
            return f.write_str("all");
        }
        f.write_str(&conditions.join(" "))
    }
}
