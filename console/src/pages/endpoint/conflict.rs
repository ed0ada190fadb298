//! What differs between a form and the endpoint that somebody else has changed
//! meanwhile.

use domain::Operator;

use super::fields::Typed;
use super::rows::{ConditionRow, HeaderRow};
use super::words;
use crate::endpoints::Found;
use crate::web::Messages;

/// The fields in which they differ.
pub(super) struct Conflict {
    pub(super) differences: Vec<Difference>,
}

/// One field in two versions, each as people read it.
pub(super) struct Difference {
    pub(super) field: Which,
    pub(super) stored: String,
    pub(super) typed: String,
}

/// A field, whose name the template knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Url,
    Description,
    Events,
    Filter,
    Headers,
    Rate,
}

impl Conflict {
    pub(super) fn between(t: &'static Messages, typed: &Typed, now: &Found) -> Self {
        let stored = Typed::of(&now.endpoint);
        let texts = |typed: &Typed| {
            [
                (Which::Url, typed.url.clone()),
                (Which::Description, typed.description.clone()),
                (Which::Events, events(typed)),
                (
                    Which::Filter,
                    lines(&typed.conditions, |row| condition(t, row)),
                ),
                (Which::Headers, lines(&typed.headers, header)),
                (Which::Rate, typed.rate.clone()),
            ]
        };
        let pairs = texts(&stored).into_iter().zip(texts(typed));
        let differences = pairs.filter(|((_, stored), (_, typed))| stored != typed);
        Self {
            differences: differences
                .map(|((field, stored), (_, typed))| Difference {
                    field,
                    stored,
                    typed,
                })
                .collect(),
        }
    }
}

fn events(typed: &Typed) -> String {
    let events: Vec<&str> = typed.events.iter().map(|event| event.as_str()).collect();
    events.join(", ")
}

fn condition(t: &'static Messages, row: &ConditionRow) -> Option<String> {
    let ConditionRow {
        field,
        operator,
        value,
    } = row;
    let operator = Operator::parse(operator).map_or(operator.as_str(), |it| words::operator(t, it));
    (!row.is_blank()).then(|| format!("{field} {operator} {value}"))
}

fn header(row: &HeaderRow) -> Option<String> {
    (!row.is_blank()).then(|| format!("{}: {}", row.name, row.value))
}

fn lines<T>(rows: &[T], line: impl Fn(&T) -> Option<String>) -> String {
    let lines: Vec<String> = rows.iter().filter_map(line).collect();
    lines.join("\n")
}
