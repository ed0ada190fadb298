//! Pages of a list: the URL of the next one, and of the first.

use super::Form;

/// What stands below a list.
#[derive(Debug)]
pub(crate) struct Pager {
    /// Back to the start, where this is not it.
    pub(crate) first: Option<String>,
    /// On, where there is more.
    pub(crate) next: Option<String>,
}

impl Pager {
    /// The query's field that holds the cursor.
    pub(crate) const CURSOR: &'static str = "after";

    pub(crate) fn new(query: &Form, next_cursor: Option<&str>) -> Self {
        let with = |cursor: &str| query.query_with(Self::CURSOR, cursor);
        Self {
            first: (!query.text(Self::CURSOR).is_empty()).then(|| with("")),
            next: next_cursor.map(with),
        }
    }
}
