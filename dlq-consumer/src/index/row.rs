//! A letter as a row, and back.

use domain::{AccountId, DeadLetterReason, EventKind, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, Row};

use crate::letter::{Headers, Letter};

/// The columns that [`read`] takes, of `failures f` and `bodies b`.
pub(super) const COLUMNS: &str = "f.log_offset, f.id, f.poison, f.account, f.event_id, f.event, \
     f.endpoint, f.reason, f.attempts, f.last_status, f.last_error, f.first_attempt_at, \
     f.failed_at, b.headers, b.value";

/// Where both halves of a letter are.
pub(super) const FROM: &str = "failures f JOIN bodies b ON b.log_offset = f.log_offset";

/// Writes a letter whose offset and id are not there.
pub(super) fn insert(connection: &Connection, letter: &Letter) -> rusqlite::Result<()> {
    let mut failures = connection.prepare_cached(
        "INSERT INTO failures VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    failures.execute((
        letter.offset,
        &letter.id,
        letter.poison,
        letter.account.as_ref().map(AccountId::as_str),
        &letter.event_id,
        letter.event.map(EventKind::as_str),
        &letter.endpoint,
        letter.reason.as_str(),
        letter.attempts,
        letter.last_status,
        &letter.last_error,
        letter.first_attempt_at.map(Timestamp::millis),
        letter.failed_at.millis(),
    ))?;
    let headers = serde_json::to_string(&letter.headers).expect("texts by name are JSON");
    let mut bodies = connection.prepare_cached("INSERT INTO bodies VALUES (?1, ?2, ?3)")?;
    bodies.execute((letter.offset, headers, &letter.value))?;
    Ok(())
}

/// Reads [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Letter> {
    let account: Option<String> = row.get(3)?;
    let event: Option<String> = row.get(5)?;
    let reason: String = row.get(7)?;
    let headers: String = row.get(13)?;
    let headers: Headers = serde_json::from_str(&headers).map_err(|error| strange(13, error))?;
    Ok(Letter {
        offset: row.get(0)?,
        id: row.get(1)?,
        poison: row.get(2)?,
        account: account
            .map(|account| account.parse())
            .transpose()
            .map_err(|error| strange(3, error))?,
        event_id: row.get(4)?,
        event: event.as_deref().and_then(EventKind::parse),
        endpoint: row.get(6)?,
        reason: DeadLetterReason::parse(&reason)
            .ok_or_else(|| strange(7, format!("{reason:?} is no reason")))?,
        attempts: row.get(8)?,
        last_status: row.get(9)?,
        last_error: row.get(10)?,
        first_attempt_at: row.get::<_, Option<i64>>(11)?.map(Timestamp::from_millis),
        failed_at: Timestamp::from_millis(row.get(12)?),
        headers,
        value: row.get(14)?,
    })
}

fn strange(
    column: usize,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}
