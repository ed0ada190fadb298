//! The fields of an endpoint that its owner sets, and what is allowed in each.
//! Pure but for the guard, which only judges.

use std::collections::{BTreeMap, BTreeSet};

use delivery::{Guard, PreparedRequest};
use domain::{Condition, EventKind, Filter, FilterMistake};

use super::mistake::{Mistake, Wrong};

/// Characters of a description.
pub(crate) const MAX_DESCRIPTION: usize = 500;
/// More than one endpoint takes from a dispatcher; guards against slips of the pen.
pub(crate) const MAX_PER_SECOND: u32 = 100_000;

/// What a request sets. `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    /// Where deliveries go.
    pub(crate) url: Option<String>,
    /// Which events.
    pub(crate) events: Option<Vec<EventKind>>,
    /// Which of those, all conditions; an empty list lets everything pass.
    pub(crate) filter: Option<Vec<Condition>>,
    /// What the owner calls it; `Some(None)` and an empty text remove it.
    pub(crate) description: Option<Option<String>>,
    /// Headers of the owner's own, all of them.
    pub(crate) headers: Option<BTreeMap<String, String>>,
    /// Deliveries a second at most; `Some(None)` lifts the limit.
    pub(crate) max_per_second: Option<Option<u32>>,
}

/// Fields that are allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) url: Option<String>,
    pub(super) events: Option<BTreeSet<EventKind>>,
    pub(super) filter: Option<Filter>,
    pub(super) description: Option<Option<String>>,
    pub(super) headers: Option<BTreeMap<String, String>>,
    pub(super) max_per_second: Option<Option<u32>>,
}

/// All that a new endpoint needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct New {
    pub(super) url: String,
    pub(super) events: BTreeSet<EventKind>,
    pub(super) filter: Filter,
    pub(super) description: Option<String>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) max_per_second: Option<u32>,
}

impl Fields {
    /// Judges the fields of a new endpoint, whose URL and events must be there.
    pub(super) fn check_new(self, guard: &Guard) -> Result<New, Vec<Mistake>> {
        let mut mistakes = self.missing();
        match self.check(guard) {
            Ok(Checked {
                url: Some(url),
                events: Some(events),
                filter,
                description,
                headers,
                max_per_second,
            }) => {
                let filter = filter.unwrap_or_default();
                check_effect(&filter, &events)?;
                Ok(New {
                    url,
                    events,
                    filter,
                    description: description.flatten(),
                    headers: headers.unwrap_or_default(),
                    max_per_second: max_per_second.flatten(),
                })
            }
            Ok(Checked { .. }) => Err(mistakes),
            Err(more) => {
                mistakes.extend(more);
                Err(mistakes)
            }
        }
    }

    fn missing(&self) -> Vec<Mistake> {
        let mut missing = Vec::new();
        if self.url.is_none() {
            missing.push(Mistake::new("$.url", Wrong::UrlMissing));
        }
        if self.events.is_none() {
            missing.push(Mistake::new("$.events", Wrong::EventsMissing));
        }
        missing
    }

    /// Judges each field that is set.
    pub(super) fn check(self, guard: &Guard) -> Result<Checked, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        if let Some(url) = &self.url
            && let Err(refused) = guard.check_url(url)
        {
            mistakes.push(Mistake::new("$.url", Wrong::Refused(refused)));
        }
        if let Some(events) = &self.events {
            mistakes.extend(check_events(events));
        }
        let filter = match self.filter.map(Filter::new).transpose() {
            Ok(filter) => filter,
            Err(wrong) => {
                mistakes.extend(wrong.0.into_iter().map(in_filter));
                None
            }
        };
        if let Some(Some(description)) = &self.description {
            mistakes.extend(check_description(description));
        }
        if let Some(headers) = &self.headers
            && let Err(refused) = PreparedRequest::new(headers)
        {
            mistakes.push(Mistake::new("$.headers", Wrong::Refused(refused)));
        }
        if let Some(Some(rate)) = self.max_per_second
            && !(1..=MAX_PER_SECOND).contains(&rate)
        {
            mistakes.push(Mistake::new("$.max_per_second", Wrong::Rate(rate)));
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Ok(Checked {
            url: self.url,
            events: self.events.map(|events| events.into_iter().collect()),
            filter,
            description: self
                .description
                .map(|text| text.filter(|text| !text.is_empty())),
            headers: self.headers,
            max_per_second: self.max_per_second,
        })
    }
}

/// A condition on a field that no chosen event carries is a slip: it would never
/// filter anything.
pub(super) fn check_effect(
    filter: &Filter,
    events: &BTreeSet<EventKind>,
) -> Result<(), Vec<Mistake>> {
    let mistakes = filter.without_effect_on(events);
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(mistakes.into_iter().map(in_filter).collect())
    }
}

fn in_filter(mistake: FilterMistake) -> Mistake {
    Mistake::new(format!("$.filter{}", mistake.path), Wrong::Filter(mistake))
}

fn check_events(events: &[EventKind]) -> Vec<Mistake> {
    if events.is_empty() {
        return vec![Mistake::new("$.events", Wrong::NoEvents)];
    }
    let mut seen = BTreeSet::new();
    (0..)
        .zip(events)
        .filter(|(_, event)| !seen.insert(**event))
        .map(|(index, event): (usize, _)| {
            Mistake::new(format!("$.events[{index}]"), Wrong::EventTwice(*event))
        })
        .collect()
}

fn check_description(text: &str) -> Option<Mistake> {
    let length = text.chars().count();
    let wrong = if length > MAX_DESCRIPTION {
        Wrong::DescriptionTooLong(length)
    } else if text.chars().any(char::is_control) {
        Wrong::DescriptionControl
    } else {
        return None;
    };
    Some(Mistake::new("$.description", wrong))
}
