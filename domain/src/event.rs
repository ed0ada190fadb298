//! The four events as the product page lists them, as strict types. The JSON
//! Schemas under `api/schemas/` are generated from these.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::field::{Email, Locale, Score, Seconds, Text, from_string, nullable};

/// What a visitor did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Submitted an open-text comment.
    NewFeedback,
    /// Submitted one to five stars.
    RatingSubmitted,
    /// Closed a Net Promoter Score survey.
    NpsCalculated,
    /// Closed the widget without submitting.
    WidgetDismissed,
}

impl EventKind {
    /// All four, in the order of the product page.
    pub const ALL: [Self; 4] = [
        Self::NewFeedback,
        Self::RatingSubmitted,
        Self::NpsCalculated,
        Self::WidgetDismissed,
    ];

    /// What is allowed, as error messages say it.
    pub(crate) const ALLOWED: &'static str =
        "new_feedback, rating_submitted, nps_calculated or widget_dismissed";

    /// The name in envelopes, headers and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewFeedback => "new_feedback",
            Self::RatingSubmitted => "rating_submitted",
            Self::NpsCalculated => "nps_calculated",
            Self::WidgetDismissed => "widget_dismissed",
        }
    }

    /// The event of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl<'de> Deserialize<'de> for EventKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_string(deserializer, Self::ALLOWED, Self::parse)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The segment of a Net Promoter Score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Segment {
    /// 9 or 10.
    Promoter,
    /// 7 or 8.
    Passive,
    /// 0 to 6.
    Detractor,
}

impl Segment {
    /// What is allowed, as error messages say it.
    pub(crate) const ALLOWED: &'static str = "Promoter, Passive or Detractor";

    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "Promoter" => Some(Self::Promoter),
            "Passive" => Some(Self::Passive),
            "Detractor" => Some(Self::Detractor),
            _ => None,
        }
    }
}

impl JsonSchema for Segment {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Segment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": ["Promoter", "Passive", "Detractor"]})
    }
}

impl<'de> Deserialize<'de> for Segment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_string(deserializer, Self::ALLOWED, Self::parse)
    }
}

/// `new_feedback`: an open-text comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFeedback {
    /// The shop's id of the customer; `null` when unknown.
    #[serde(default, deserialize_with = "nullable")]
    pub customer_id: Option<Text>,
    /// The customer's e-mail address; `null` when unknown.
    #[serde(default, deserialize_with = "nullable")]
    pub email: Option<Email>,
    /// What the customer wrote.
    pub comment: Text,
    /// The browser's language, a BCP 47 tag; `null` when unknown.
    #[serde(default, deserialize_with = "nullable")]
    pub browser_locale: Option<Locale>,
    /// How long the visit had lasted, in seconds; `null` when unknown.
    #[serde(default, deserialize_with = "nullable")]
    pub session_duration_seconds: Option<Seconds>,
    /// The page the widget stood on.
    pub session_page: Text,
}

/// `rating_submitted`: one to five stars for a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RatingSubmitted {
    /// The shop's id of the customer; `null` when unknown.
    #[serde(default, deserialize_with = "nullable")]
    pub customer_id: Option<Text>,
    /// The customer's e-mail address; `null` when unknown.
    #[serde(default, deserialize_with = "nullable")]
    pub email: Option<Email>,
    /// The stars, 1 to 5.
    pub score: Score,
    /// The product that was rated.
    pub product_sku: Text,
    /// The page the widget stood on.
    pub session_page: Text,
}

/// `nps_calculated`: a Net Promoter Score survey has closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NpsCalculated {
    /// The shop's id of the customer; `null` when unknown.
    #[serde(default, deserialize_with = "nullable")]
    pub customer_id: Option<Text>,
    /// The customer's e-mail address; `null` when unknown.
    #[serde(default, deserialize_with = "nullable")]
    pub email: Option<Email>,
    /// The segment that the answer falls in: `Promoter` for 9 and 10,
    /// `Passive` for 7 and 8, `Detractor` for 0 to 6.
    pub segment: Segment,
    /// The raw response's id.
    pub response_id: Text,
    /// The page the widget stood on.
    pub session_page: Text,
}

/// `widget_dismissed`: the panel was closed without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WidgetDismissed {
    /// The shop's id of the customer; `null` when unknown.
    #[serde(default, deserialize_with = "nullable")]
    pub customer_id: Option<Text>,
    /// The customer's e-mail address; `null` when unknown.
    #[serde(default, deserialize_with = "nullable")]
    pub email: Option<Email>,
    /// The product whose page it was; `null` where the page shows none.
    #[serde(default, deserialize_with = "nullable")]
    pub product_sku: Option<Text>,
    /// How long the visit had lasted, in seconds; `null` when unknown.
    #[serde(default, deserialize_with = "nullable")]
    pub session_duration_seconds: Option<Seconds>,
    /// The page the widget stood on.
    pub session_page: Text,
}

/// What an event carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum EventData {
    /// An open-text comment.
    NewFeedback(NewFeedback),
    /// Stars.
    RatingSubmitted(RatingSubmitted),
    /// A Net Promoter Score.
    NpsCalculated(NpsCalculated),
    /// No answer.
    WidgetDismissed(WidgetDismissed),
}

impl EventData {
    /// Which event this is.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::NewFeedback(_) => EventKind::NewFeedback,
            Self::RatingSubmitted(_) => EventKind::RatingSubmitted,
            Self::NpsCalculated(_) => EventKind::NpsCalculated,
            Self::WidgetDismissed(_) => EventKind::WidgetDismissed,
        }
    }

    /// The shop's id of the customer, where it is known.
    #[must_use]
    pub fn customer_id(&self) -> Option<&str> {
        match self {
            Self::NewFeedback(data) => &data.customer_id,
            Self::RatingSubmitted(data) => &data.customer_id,
            Self::NpsCalculated(data) => &data.customer_id,
            Self::WidgetDismissed(data) => &data.customer_id,
        }
        .as_ref()
        .map(Text::as_str)
    }

    /// An example of each event, as the catalogue shows it and test deliveries
    /// send it.
    ///
    /// # Panics
    /// Never: the examples are within their types' bounds, and a test parses
    /// each.
    #[must_use]
    pub fn example(kind: EventKind) -> Self {
        let text = |value| Text::new(value).expect("an example is not empty");
        let customer_id = Some(text("cus_9021"));
        let email = Email::new("anna.mueller@webshop.de");
        match kind {
            EventKind::NewFeedback => Self::NewFeedback(NewFeedback {
                customer_id,
                email,
                comment: text("Schöne Auswahl, aber die Lieferung hat gedauert."),
                browser_locale: Locale::new("de-DE"),
                session_duration_seconds: Some(Seconds::new(184)),
                session_page: text("/products/BW-440-RED"),
            }),
            EventKind::RatingSubmitted => Self::RatingSubmitted(RatingSubmitted {
                customer_id,
                email,
                score: Score::new(4).expect("4 is within 1 to 5"),
                product_sku: text("BW-440-RED"),
                session_page: text("/checkout/thank-you"),
            }),
            EventKind::NpsCalculated => Self::NpsCalculated(NpsCalculated {
                customer_id,
                email,
                segment: Segment::Promoter,
                response_id: text("nps_55120"),
                session_page: text("/account/orders"),
            }),
            EventKind::WidgetDismissed => Self::WidgetDismissed(WidgetDismissed {
                customer_id: None,
                email: None,
                product_sku: Some(text("BW-440-RED")),
                session_duration_seconds: Some(Seconds::new(37)),
                session_page: text("/products/BW-440-RED"),
            }),
        }
    }
}
