//! One condition: a field, how it is compared, and with what.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;

use super::{DataField, FilterMistake, Operator, field::alternatives};
use crate::{Email, Locale, Score, Seconds, Segment, Text, field::Field};

/// Characters of a text to compare with at most.
pub(super) const MAX_TEXT: usize = 200;

/// A condition as it is written: `{"field", "operator", "value"}`. What fits
/// together is [`Filter::new`](super::Filter::new)'s to judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// The field that is looked at.
    pub field: DataField,
    /// How.
    pub operator: Operator,
    /// What it is compared with.
    pub value: Operand,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Operand {
    /// For a field that holds numbers.
    Number(u64),
    /// For a field that holds texts.
    Text(String),
}

impl Condition {
    /// What is wrong with it, as the condition at `index`.
    pub(super) fn mistake(&self, index: usize) -> Option<FilterMistake> {
        let operators = self.field.operators();
        if !operators.contains(&self.operator) {
            let words = operators.iter().map(|operator| operator.as_str());
            return Some(FilterMistake {
                path: format!("[{index}].operator"),
                found: self.operator.as_str().to_owned(),
                allowed: format!("{} for {}", alternatives(words), self.field),
            });
        }
        let allowed = self.refused_value()?;
        Some(FilterMistake {
            path: format!("[{index}].value"),
            found: self.value.to_string(),
            allowed,
        })
    }

    /// What is allowed, when the value is not: what the field can hold, and in
    /// front of a field any text.
    fn refused_value(&self) -> Option<String> {
        let value = &self.value;
        if let Operand::Text(text) = value
            && text.chars().count() > MAX_TEXT
        {
            return Some(format!("a text of at most {MAX_TEXT} characters"));
        }
        match (self.operator, self.field) {
            (Operator::StartsWith, _) => refused::<Text>(value),
            (_, DataField::Score) => refused::<Score>(value),
            (_, DataField::SessionDurationSeconds) => refused::<Seconds>(value),
            (_, DataField::Email) => refused::<Email>(value),
            (_, DataField::BrowserLocale) => refused::<Locale>(value),
            (_, DataField::Segment) => match value {
                Operand::Text(text) if Segment::parse(text).is_some() => None,
                Operand::Text(_) | Operand::Number(_) => Some(Segment::ALLOWED.to_owned()),
            },
            (
                _,
                DataField::ProductSku
                | DataField::Comment
                | DataField::SessionPage
                | DataField::ResponseId
                | DataField::CustomerId,
            ) => refused::<Text>(value),
        }
    }

    /// Whether it holds for what the event has in the field; `null`, and what
    /// is of another type, never fits.
    pub(super) fn holds(&self, found: Option<&RawValue>) -> bool {
        let Some(found) = found else {
            return false;
        };
        match &self.value {
            Operand::Number(wanted) => {
                let found: Result<u64, _> = serde_json::from_str(found.get());
                found.is_ok_and(|found| match self.operator {
                    Operator::Equals => found == *wanted,
                    Operator::AtMost => found <= *wanted,
                    Operator::AtLeast => found >= *wanted,
                    Operator::StartsWith => false,
                })
            }
            Operand::Text(wanted) => {
                let found: Result<Borrowed<'_>, _> = serde_json::from_str(found.get());
                found.is_ok_and(|Borrowed(found)| match self.operator {
                    Operator::Equals => found == *wanted,
                    Operator::StartsWith => found.starts_with(wanted),
                    Operator::AtMost | Operator::AtLeast => false,
                })
            }
        }
    }
}

/// A text without a copy, where nothing in it is escaped.
#[derive(Deserialize)]
struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

fn refused<T: Field>(value: &Operand) -> Option<String> {
    let fits = match value {
        Operand::Number(number) => T::from_number(*number).is_some(),
        Operand::Text(text) => !text.is_empty() && T::from_text(text).is_some(),
    };
    (!fits).then(|| T::ALLOWED.to_owned())
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{:?}", crate::record::cut(text, MAX_TEXT)),
        }
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Parts {
            field: DataField,
            operator: Operator,
            value: Operand,
        }

        /// A derived reader would take a list for an object.
        struct AnObject;

        impl<'de> Visitor<'de> for AnObject {
            type Value = Parts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of field, operator and value")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Parts, A::Error> {
                Parts::deserialize(MapAccessDeserializer::new(map))
            }
        }

        let Parts {
            field,
            operator,
            value,
        } = deserializer.deserialize_map(AnObject)?;
        Ok(Self {
            field,
            operator,
            value,
        })
    }
}

impl<'de> Deserialize<'de> for Operand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;

        impl Visitor<'_> for TextOrNumber {
            type Value = Operand;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a whole number")
            }

            fn visit_str<E>(self, text: &str) -> Result<Operand, E> {
                Ok(Operand::Text(text.to_owned()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Operand, E> {
                Ok(Operand::Number(number))
            }
        }

        deserializer.deserialize_any(TextOrNumber)
    }
}
