//! What conditions can name: the fields of all events' data, and how each may
//! be compared.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{EventKind, field::from_string};

/// A field of an event's `data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataField {
    /// The number of stars.
    Score,
    /// The segment of a Net Promoter Score.
    Segment,
    /// The product.
    ProductSku,
    /// What the customer wrote.
    Comment,
    /// The browser's language.
    BrowserLocale,
    /// How long the visit had lasted, in seconds.
    SessionDurationSeconds,
    /// The page the widget stood on.
    SessionPage,
    /// The answer's id.
    ResponseId,
    /// The shop's id of the customer.
    CustomerId,
    /// The customer's e-mail address.
    Email,
}

impl DataField {
    /// All of them, those that filters are made for first.
    pub const ALL: [Self; 10] = [
        Self::Score,
        Self::Segment,
        Self::ProductSku,
        Self::Comment,
        Self::BrowserLocale,
        Self::SessionDurationSeconds,
        Self::SessionPage,
        Self::ResponseId,
        Self::CustomerId,
        Self::Email,
    ];

    const ALLOWED: &'static str = "score, segment, product_sku, comment, browser_locale, \
         session_duration_seconds, session_page, response_id, customer_id or email";

    /// Its name in `data`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Segment => "segment",
            Self::ProductSku => "product_sku",
            Self::Comment => "comment",
            Self::BrowserLocale => "browser_locale",
            Self::SessionDurationSeconds => "session_duration_seconds",
            Self::SessionPage => "session_page",
            Self::ResponseId => "response_id",
            Self::CustomerId => "customer_id",
            Self::Email => "email",
        }
    }

    /// The field of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }

    /// Whether the data of this event has the field, be it `null`.
    #[must_use]
    pub const fn is_carried_by(self, event: EventKind) -> bool {
        match self {
            Self::CustomerId | Self::Email | Self::SessionPage => true,
            Self::Comment | Self::BrowserLocale => matches!(event, EventKind::NewFeedback),
            Self::SessionDurationSeconds => {
                matches!(event, EventKind::NewFeedback | EventKind::WidgetDismissed)
            }
            Self::Score => matches!(event, EventKind::RatingSubmitted),
            Self::ProductSku => {
                matches!(
                    event,
                    EventKind::RatingSubmitted | EventKind::WidgetDismissed
                )
            }
            Self::Segment | Self::ResponseId => matches!(event, EventKind::NpsCalculated),
        }
    }

    /// How it may be compared.
    #[must_use]
    pub const fn operators(self) -> &'static [Operator] {
        match self {
            Self::Score | Self::SessionDurationSeconds => {
                &[Operator::Equals, Operator::AtMost, Operator::AtLeast]
            }
            Self::Segment => &[Operator::Equals],
            Self::ProductSku
            | Self::Comment
            | Self::BrowserLocale
            | Self::SessionPage
            | Self::ResponseId
            | Self::CustomerId
            | Self::Email => &[Operator::Equals, Operator::StartsWith],
        }
    }
}

impl<'de> Deserialize<'de> for DataField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_string(deserializer, Self::ALLOWED, Self::parse)
    }
}

impl fmt::Display for DataField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a field is compared with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// It is the value.
    Equals,
    /// It is the number or a smaller one.
    AtMost,
    /// It is the number or a greater one.
    AtLeast,
    /// It begins with the text.
    StartsWith,
}

impl Operator {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Equals, Self::AtMost, Self::AtLeast, Self::StartsWith];

    const ALLOWED: &'static str = "equals, at_most, at_least or starts_with";

    /// The word in the API and in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equals => "equals",
            Self::AtMost => "at_most",
            Self::AtLeast => "at_least",
            Self::StartsWith => "starts_with",
        }
    }

    /// The operator of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operator| operator.as_str() == word)
    }
}

impl<'de> Deserialize<'de> for Operator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_string(deserializer, Self::ALLOWED, Self::parse)
    }
}

/// Words as an error message lists them: `a, b or c`.
pub(super) fn alternatives<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
