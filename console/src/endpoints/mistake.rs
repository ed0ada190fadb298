//! What is not allowed in a field: by cause, so that each language has its own
//! words for it. Those of the API stand here.

use delivery::Refused;
use domain::{EventKind, FilterMistake, NotASecret};

use super::fields::{MAX_DESCRIPTION, MAX_PER_SECOND};

/// One field that is not allowed so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Which, as a JSON path: `$.events[1]`.
    pub(crate) path: String,
    /// What is wrong.
    pub(crate) wrong: Wrong,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// An operator names no account.
    AccountMissing,
    /// There is no URL.
    UrlMissing,
    /// There is no list of events.
    EventsMissing,
    /// The list of events is empty.
    NoEvents,
    /// An event stands in the list twice.
    EventTwice(EventKind),
    /// The guard refuses the URL, or a header cannot be sent.
    Refused(Refused),
    /// A condition does not fit.
    Filter(FilterMistake),
    /// The description has so many characters.
    DescriptionTooLong(usize),
    /// The description holds a control character.
    DescriptionControl,
    /// So many deliveries a second.
    Rate(u32),
    /// A secret that is none.
    Secret(NotASecret),
}

impl Mistake {
    pub(crate) fn new(path: impl Into<String>, wrong: Wrong) -> Self {
        Self {
            path: path.into(),
            wrong,
        }
    }
}

impl Wrong {
    /// What is wrong, in the API's words.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::AccountMissing | Self::UrlMissing | Self::EventsMissing => {
                "it is missing".to_owned()
            }
            Self::NoEvents => "the list is empty".to_owned(),
            Self::EventTwice(event) => format!("{event} stands twice"),
            Self::Refused(refused) => refused.to_string(),
            Self::Filter(mistake) => format!("found {}", mistake.found),
            Self::DescriptionTooLong(length) => format!("it has {length} characters"),
            Self::DescriptionControl => "it holds a control character".to_owned(),
            Self::Rate(rate) => format!("found {rate}"),
            Self::Secret(refused) => refused.to_string(),
        }
    }

    /// What is allowed, in the API's words, where the detail does not say it.
    pub(crate) fn allowed(&self) -> Option<String> {
        Some(match self {
            Self::AccountMissing => "the account that this is for, here or as ?account=".to_owned(),
            Self::UrlMissing => "an https URL".to_owned(),
            Self::EventsMissing | Self::NoEvents => {
                let names = EventKind::ALL.map(EventKind::as_str).join(", ");
                format!("a list of one or more of {names}")
            }
            Self::EventTwice(_) => "each event once".to_owned(),
            Self::Filter(mistake) => mistake.allowed.clone(),
            Self::DescriptionTooLong(_) | Self::DescriptionControl => {
                format!("one line of at most {MAX_DESCRIPTION} characters, or null")
            }
            Self::Rate(_) => format!("a whole number from 1 to {MAX_PER_SECOND}, or null"),
            Self::Refused(_) | Self::Secret(_) => return None,
        })
    }
}
