//! An entry of the failed list as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{DeadLetterReason, EventKind, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use service::settings::Role;

use crate::index::Page;
use crate::letter::Letter;

#[derive(Serialize)]
pub(super) struct PageJson<'a> {
    items: Vec<Item<'a>>,
    next_cursor: String,
}

/// The keys in the order of the API's description.
#[derive(Serialize)]
pub(super) struct Item<'a> {
    id: &'a str,
    event_id: Option<&'a str>,
    event: Option<&'static str>,
    endpoint_id: Option<&'a str>,
    reason: DeadLetterReason,
    attempts: u32,
    last_status: Option<u16>,
    last_error: Option<&'a str>,
    first_attempt_at: Option<Timestamp>,
    failed_at: Timestamp,
    payload: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
    /// For operators, who see all accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
}

pub(super) fn page(page: &Page, role: Role) -> PageJson<'_> {
    PageJson {
        items: page.letters.iter().map(|letter| of(letter, role)).collect(),
        next_cursor: page.next.to_string(),
    }
}

pub(super) fn of(letter: &Letter, role: Role) -> Item<'_> {
    // The envelope exactly as it is delivered; poison need not be JSON.
    let payload = (!letter.poison)
        .then(|| serde_json::from_slice(&letter.value).ok())
        .flatten();
    let account = letter.account.as_ref().filter(|_| role == Role::Operator);
    Item {
        id: &letter.id,
        event_id: letter.event_id.as_deref(),
        event: letter.event.map(EventKind::as_str),
        endpoint_id: letter.endpoint.as_deref(),
        reason: letter.reason,
        attempts: letter.attempts,
        last_status: letter.last_status,
        last_error: letter.last_error.as_deref(),
        first_attempt_at: letter.first_attempt_at,
        failed_at: letter.failed_at,
        payload_base64: payload.is_none().then(|| STANDARD.encode(&letter.value)),
        payload,
        account: account.map(domain::AccountId::as_str),
    }
}
