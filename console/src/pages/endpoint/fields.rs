//! The form of an endpoint: what was typed, kept as it was, and what it means.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Endpoint, EventKind};

use super::rows::{self, ConditionRow, HeaderRow};
use super::words::{self, Place};
use crate::endpoints::{Fields, Mistake};
use crate::test_event::Draft;
use crate::web::{Errors, Form, Language};

/// The ids of the form's fields in their order on the page.
const ORDER: [&str; 8] = [
    "account",
    "url",
    "description",
    "events",
    "filter",
    "header",
    "rate",
    "event",
];

/// What stands in the form.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    pub(super) account: String,
    pub(super) url: String,
    pub(super) description: String,
    pub(super) events: BTreeSet<EventKind>,
    pub(super) conditions: Vec<ConditionRow>,
    pub(super) headers: Vec<HeaderRow>,
    pub(super) rate: String,
    /// The event that a test sends.
    pub(super) test_event: Option<EventKind>,
}

impl Typed {
    /// A form that nothing stands in yet.
    pub(super) fn new() -> Self {
        let mut typed = Self {
            test_event: Some(EventKind::NewFeedback),
            ..Self::default()
        };
        typed.tidy();
        typed
    }

    /// As an endpoint is now.
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        let conditions = endpoint.filter.conditions();
        let mut typed = Self {
            account: endpoint.account.to_string(),
            url: endpoint.url.clone(),
            description: endpoint.description.clone().unwrap_or_default(),
            events: endpoint.events.clone(),
            conditions: conditions.iter().map(ConditionRow::from).collect(),
            headers: endpoint
                .headers
                .iter()
                .map(|(name, value)| HeaderRow {
                    name: name.clone(),
                    value: value.clone(),
                })
                .collect(),
            rate: endpoint
                .max_per_second
                .map(|rate| rate.to_string())
                .unwrap_or_default(),
            test_event: None,
        };
        typed.tidy();
        typed
    }

    /// As it was sent.
    pub(super) fn read(form: &Form) -> Self {
        let mut typed = Self {
            account: form.text("account").trim().to_owned(),
            url: form.text("url").trim().to_owned(),
            description: form.text("description").trim().to_owned(),
            events: form.all("events").filter_map(EventKind::parse).collect(),
            conditions: ConditionRow::all(form),
            headers: HeaderRow::all(form),
            rate: form.text("rate").trim().to_owned(),
            test_event: EventKind::parse(form.text("event")),
        };
        let button = form.text("do");
        let number = |kind| button.strip_prefix(kind)?.parse::<usize>().ok();
        if let Some(row) = number("remove-filter-").filter(|row| *row < typed.conditions.len()) {
            typed.conditions.remove(row);
        }
        if let Some(row) = number("remove-header-").filter(|row| *row < typed.headers.len()) {
            typed.headers.remove(row);
        }
        rows::tidy(
            &mut typed.conditions,
            ConditionRow::is_blank,
            button == "add-filter",
        );
        rows::tidy(
            &mut typed.headers,
            HeaderRow::is_blank,
            button == "add-header",
        );
        typed
    }

    fn tidy(&mut self) {
        rows::tidy(&mut self.conditions, ConditionRow::is_blank, false);
        rows::tidy(&mut self.headers, HeaderRow::is_blank, false);
    }

    /// What it means, and what cannot be read.
    pub(super) fn fields(&self, language: Language) -> (Fields, Errors) {
        let t = language.messages();
        let mut errors = Errors::default();
        let mut conditions = Vec::new();
        for (row, typed) in self.conditions.iter().enumerate() {
            if typed.is_blank() {
                continue;
            }
            match typed.read() {
                Ok(condition) => conditions.push(condition),
                Err(mistake) => {
                    let (part, text) = words::row_mistake(t, typed, mistake);
                    errors.add(format!("filter-{row}-{part}"), text);
                }
            }
        }
        let headers = self.headers(language, &mut errors);
        let rate = if self.rate.is_empty() {
            None
        } else {
            let rate: Option<u32> = self.rate.parse().ok();
            if rate.is_none() {
                errors.add("rate", words::rate_allowed(language));
            }
            rate
        };
        let fields = Fields {
            url: (!self.url.is_empty()).then(|| self.url.clone()),
            events: Some(self.events.iter().copied().collect()),
            filter: Some(conditions),
            description: Some(Some(self.description.clone())),
            headers: Some(headers),
            max_per_second: Some(rate),
        };
        (fields, errors)
    }

    fn headers(&self, language: Language, errors: &mut Errors) -> BTreeMap<String, String> {
        let t = &language.messages().form_error;
        let mut headers = BTreeMap::new();
        for (row, header) in self.headers.iter().enumerate() {
            if header.is_blank() {
                continue;
            }
            let (name, value) = (header.name.clone(), header.value.clone());
            if name.is_empty() {
                errors.add(format!("header-{row}-name"), t.header_without_name);
            } else if headers.insert(name, value).is_some() {
                errors.add(format!("header-{row}-name"), t.header_twice);
            }
        }
        headers
    }

    /// What a test before saving needs.
    pub(super) fn draft(&self, language: Language) -> (Draft, Errors) {
        let mut errors = Errors::default();
        let draft = Draft {
            url: (!self.url.is_empty()).then(|| self.url.clone()),
            headers: self.headers(language, &mut errors),
            secret: None,
        };
        (draft, errors)
    }

    /// Adds what the endpoints say is wrong, each beside its field.
    pub(super) fn add(&self, errors: &mut Errors, language: Language, mistakes: &[Mistake]) {
        for mistake in mistakes {
            let place = words::place(mistake);
            let field = match place {
                Place::Field(field) => field.to_owned(),
                Place::Condition { index, part } => {
                    let rows = self.conditions.iter().enumerate();
                    let row = rows.filter(|(_, row)| !row.is_blank()).nth(index);
                    format!("filter-{}-{part}", row.map_or(0, |(row, _)| row))
                }
                Place::Header(name) => {
                    let row = self.headers.iter().position(|row| row.name == name);
                    let row = row.unwrap_or_default();
                    format!("header-{row}-{}", words::header_part(mistake))
                }
            };
            errors.add(field, words::mistake(language, self, mistake));
        }
        errors.sort_by(rank);
    }
}

/// Where a field stands on the page.
fn rank(field: &str) -> usize {
    let kind = field.split('-').next().unwrap_or_default();
    ORDER
        .iter()
        .position(|known| *known == kind)
        .unwrap_or(ORDER.len())
}
