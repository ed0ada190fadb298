//! An entry of the failed list as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{AccountId, DeadLetterReason, Envelope, EventKind, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use service::settings::Role;

use crate::index::Page;
use crate::letter::Letter;

/// A page of the failed list.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FailedPage")]
pub(super) struct PageJson<'a> {
    /// In the order that was asked for.
    items: Vec<Item<'a>>,
    /// What to give as `cursor` for what comes next; also on the last page, for what
    /// fails later.
    next_cursor: String,
}

/// A delivery that was given up.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FailedDelivery")]
pub(super) struct Item<'a> {
    /// Its id: `<event id>.<endpoint id>`. Of a record that cannot be read, which only
    /// operators see: `<topic>.<partition>.<offset>`.
    id: &'a str,
    /// The event's id.
    event_id: Option<&'a str>,
    /// Which event.
    #[schemars(with = "Option<EventKind>")]
    event: Option<&'static str>,
    /// Which endpoint it was for.
    endpoint_id: Option<&'a str>,
    /// Why it was given up.
    reason: DeadLetterReason,
    /// How many attempts were made.
    attempts: u32,
    /// The status of the last one, where there was an answer.
    #[schemars(range(min = 100, max = 999))]
    last_status: Option<u16>,
    /// Why the last one failed: `cause: text`.
    last_error: Option<&'a str>,
    /// When it was first due.
    first_attempt_at: Option<Timestamp>,
    /// When it was given up.
    failed_at: Timestamp,
    /// The event, exactly as it is delivered; `null` for a record that cannot be read.
    #[schemars(with = "Option<Envelope>")]
    payload: Option<&'a RawValue>,
    /// The bytes of a record that cannot be read; only there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("contentEncoding" = "base64"))]
    payload_base64: Option<String>,
    /// Whose it is; only for operators, who see all accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "AccountId")]
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
        account: account.map(AccountId::as_str),
    }
}
