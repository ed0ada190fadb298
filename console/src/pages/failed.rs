//! What was given up: a page of what the URL asks for, everything as a file, and
//! the ways off the list for one, for the selected, and for all that match.

mod bulk;
mod entry;
mod export;
mod job;
mod left;
mod list;

pub(super) use bulk::{ask, start, to_list};
pub(super) use entry::{ask_discard, discard, resend, show};
pub(super) use export::export;
pub(super) use job::{cancel, job};
pub(super) use list::list;

use std::fmt::Write as _;

use domain::{DeadLetterReason, FailedFilter};

use super::choice::Choice;
use crate::endpoints::Registry;
use crate::web::{Errors, Failure, Form, Pages, Signed};

/// What the URL or a form chooses by.
struct Search {
    reason: Option<DeadLetterReason>,
    choice: Choice,
}

impl Search {
    fn of(
        query: &Form,
        registry: &Registry,
        signed: &Signed,
        errors: &mut Errors,
    ) -> Result<Self, Failure> {
        let t = signed.language().messages();
        let (reasons, word) = (DeadLetterReason::ALL, DeadLetterReason::as_str);
        Ok(Self {
            reason: query.chosen("reason", &reasons, word, t, errors),
            choice: Choice::of(query, registry, signed, errors)?,
        })
    }

    fn is_any(&self) -> bool {
        self.reason.is_some() || self.choice.is_any()
    }

    /// As dlq-consumer takes it: only operators choose an account.
    fn filter(&self, signed: &Signed) -> FailedFilter {
        let Choice {
            scope,
            endpoint_id,
            event,
            since,
            until,
            ..
        } = &self.choice;
        FailedFilter {
            account: signed.account_of(scope),
            endpoint: *endpoint_id,
            event: *event,
            reason: self.reason,
            since: *since,
            until: *until,
            ids: None,
        }
    }
}

/// What a form chooses that was made of the list's.
fn filter_of(pages: &Pages, signed: &Signed, form: &Form) -> Result<FailedFilter, Failure> {
    let mut errors = Errors::default();
    let search = Search::of(form, pages.registry()?, signed, &mut errors)?;
    if !errors.is_empty() {
        return Err(Failure::BadRequest);
    }
    Ok(search.filter(signed))
}

/// The list, of what this filter chooses; a selection is not a part of its URL.
fn list_of(filter: &FailedFilter) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(crate::failed_list::parameters(filter));
    match query.finish() {
        query if query.is_empty() => "/failed".to_owned(),
        query => format!("/failed?{query}"),
    }
}

/// A part of a path: records that cannot be read have any text for an id.
fn in_path(id: &str) -> String {
    let mut path = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(byte.into());
        } else {
            write!(path, "%{byte:02X}").expect("text grows");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::in_path;

    #[test]
    fn any_id_is_one_part_of_a_path() {
        assert_eq!(in_path("evt_1.ep_2"), "evt_1.ep_2");
        assert_eq!(in_path("a/b?c#d%ü"), "a%2Fb%3Fc%23d%25%C3%BC");
    }
}
