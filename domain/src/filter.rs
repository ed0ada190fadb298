//! The extra filter of an endpoint: conditions on the data of events, all of
//! which must hold. It is looked at when an event is fanned out and never
//! again: a delivery that exists goes on, whatever the filter says by then.
//!
//! A condition concerns the events that carry its field. To `score <= 2` a
//! `new_feedback` means nothing, and passes. Of an event that carries the field
//! but has `null` there nothing is known, and no condition holds. Texts are
//! compared byte for byte.

mod condition;
mod event;
mod field;
mod schema;

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::EventKind;

pub use condition::{Condition, Operand};
pub use event::FilteredEvent;
pub use field::{DataField, Operator};

/// Conditions of one filter at most.
pub const MAX_CONDITIONS: usize = 20;

/// Conditions that fit their fields, at most [`MAX_CONDITIONS`]. Without any it
/// lets everything pass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Condition>", into = "Vec<Condition>")]
pub struct Filter(Vec<Condition>);

/// Something in a filter that is not allowed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: found {found}, allowed is {allowed}")]
pub struct FilterMistake {
    /// Where, from the list on: `[1].value`; empty for the list itself.
    pub path: String,
    /// What stands there.
    pub found: String,
    /// What may stand there.
    pub allowed: String,
}

/// All mistakes of a filter, never none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterMistakes(pub Vec<FilterMistake>);

impl fmt::Display for FilterMistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&texts.join("; "))
    }
}

impl std::error::Error for FilterMistakes {}

impl Filter {
    /// A filter of these conditions.
    ///
    /// # Errors
    /// Names each operator and value that does not fit its field.
    pub fn new(conditions: Vec<Condition>) -> Result<Self, FilterMistakes> {
        if conditions.len() > MAX_CONDITIONS {
            return Err(FilterMistakes(vec![FilterMistake {
                path: String::new(),
                found: format!("{} conditions", conditions.len()),
                allowed: format!("at most {MAX_CONDITIONS}"),
            }]));
        }
        let mistakes: Vec<_> = (0_usize..)
            .zip(&conditions)
            .filter_map(|(index, condition)| condition.mistake(index))
            .collect();
        if mistakes.is_empty() {
            Ok(Self(conditions))
        } else {
            Err(FilterMistakes(mistakes))
        }
    }

    /// Its conditions, in the order in which they were given.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.0
    }

    /// The conditions whose field none of these events carries: they would
    /// never filter anything.
    #[must_use]
    pub fn without_effect_on(&self, events: &BTreeSet<EventKind>) -> Vec<FilterMistake> {
        let carried = |field: DataField| events.iter().any(|event| field.is_carried_by(*event));
        (0_usize..)
            .zip(&self.0)
            .filter(|(_, condition)| !carried(condition.field))
            .map(|(index, condition)| FilterMistake {
                path: format!("[{index}].field"),
                found: format!(
                    "{}, which none of the chosen events carries",
                    condition.field
                ),
                allowed: carried_by(events),
            })
            .collect()
    }

    /// Whether an event gets past: every condition that concerns it holds.
    ///
    /// An event whose data is no object of JSON passes: better one delivery too
    /// many than an event lost. (The producer writes none.)
    #[must_use]
    pub fn lets_pass(&self, event: &FilteredEvent<'_>) -> bool {
        self.0
            .iter()
            .filter(|condition| condition.field.is_carried_by(event.kind()))
            .all(|condition| {
                let data = event.data();
                data.is_none_or(|data| condition.holds(data.get(condition.field.as_str()).copied()))
            })
    }
}

fn carried_by(events: &BTreeSet<EventKind>) -> String {
    let carried = DataField::ALL
        .into_iter()
        .filter(|field| events.iter().any(|event| field.is_carried_by(*event)));
    field::alternatives(carried.map(DataField::as_str))
}

impl TryFrom<Vec<Condition>> for Filter {
    type Error = FilterMistakes;

    fn try_from(conditions: Vec<Condition>) -> Result<Self, FilterMistakes> {
        Self::new(conditions)
    }
}

impl From<Filter> for Vec<Condition> {
    fn from(filter: Filter) -> Self {
        filter.0
    }
}
