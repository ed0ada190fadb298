//! The pages of one endpoint, and of one that is to be.

mod change;
mod conflict;
mod create;
mod details;
mod fields;
mod lifecycle;
mod rows;
mod secret;
mod send_test;
mod snippets;
mod test_result;
mod words;

pub(super) use change::{change, edit};
pub(super) use create::{add, create, test_draft, to_new};
pub(super) use details::details;
pub(super) use lifecycle::{ask_delete, delete, pause, resume};
pub(super) use secret::{ask_rotate, hidden, reveal, rotate};
pub(super) use send_test::{send_test, test};

use domain::Endpoint;

/// What people call it: its description, else its URL without the scheme.
pub(super) fn name(endpoint: &Endpoint) -> String {
    let url = || endpoint.url.trim_start_matches("https://");
    let name = endpoint
        .description
        .as_deref()
        .filter(|name| !name.is_empty());
    name.map_or_else(|| url().to_owned(), str::to_owned)
}

/// The URL of its page.
pub(super) fn page_of(id: domain::EndpointId) -> String {
    format!("/endpoints/{id}")
}
