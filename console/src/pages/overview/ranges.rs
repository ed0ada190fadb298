//! The ranges that can be looked at, as links.

use crate::attempts::Range;
use crate::web::{Errors, Form, Messages};

/// The query's field.
const FIELD: &str = "range";

/// A range to look at instead.
pub(super) struct RangeLink {
    pub(super) url: String,
    pub(super) name: &'static str,
    pub(super) is_current: bool,
}

/// The one that the URL asks for.
pub(super) fn of(query: &Form, t: &'static Messages, errors: &mut Errors) -> Range {
    let range = query.chosen(FIELD, &Range::ALL, word, t, errors);
    range.unwrap_or_default()
}

pub(super) fn links(query: &Form, current: Option<Range>, t: &'static Messages) -> Vec<RangeLink> {
    let link = |range| RangeLink {
        url: format!("/overview{}", query.query_with(FIELD, word(range))),
        name: match range {
            Range::Hour => t.overview.hour,
            Range::Day => t.overview.day,
            Range::Week => t.overview.week,
        },
        is_current: Some(range) == current,
    };
    Range::ALL.map(link).into()
}

/// As the API calls them, too.
const fn word(range: Range) -> &'static str {
    match range {
        Range::Hour => "1h",
        Range::Day => "24h",
        Range::Week => "7d",
    }
}
