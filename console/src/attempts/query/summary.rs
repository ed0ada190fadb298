//! A delivery's row.

use domain::{AccountId, AfterAttempt, DeliveryId, EndpointId, EventId, EventKind, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::attempts::{code, key};

/// A delivery as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliverySummary {
    /// Which.
    pub id: DeliveryId,
    /// Whose.
    pub account: AccountId,
    /// What.
    pub event: EventKind,
    /// When its first record is of.
    pub first_at: Timestamp,
    /// When its latest record is of.
    pub last_at: Timestamp,
    /// What its latest record says: [`DeliveryState::after`] has it in a word.
    pub after: AfterAttempt,
    /// Attempts that were made, over all re-sends.
    pub attempts: u32,
    /// The status of its latest record.
    pub last_status: Option<u16>,
    /// The error of its latest record, as far as that is still there.
    pub last_error: Option<String>,
}

/// What [`read`] takes.
const COLUMNS: &str = "SELECT d.id, d.event, s.endpoint, s.account, d.class, d.last_at, d.after, \
     d.tier, d.due, d.attempts, d.status, \
     (SELECT error FROM attempts WHERE delivery = d.id ORDER BY id DESC LIMIT 1) \
     FROM deliveries d JOIN subjects s ON s.id = d.endpoint";

pub(super) fn of(connection: &Connection, key: i64) -> rusqlite::Result<DeliverySummary> {
    connection
        .prepare_cached(&format!("{COLUMNS} WHERE d.id = ?1"))?
        .query_row([key], read)
}

/// The delivery of this event for this subject, and its number.
pub(super) fn find(
    connection: &Connection,
    event: EventId,
    subject: i64,
) -> rusqlite::Result<Option<(i64, DeliverySummary)>> {
    connection
        .prepare_cached(&format!("{COLUMNS} WHERE d.event = ?1 AND d.endpoint = ?2"))?
        .query_row((event.to_bytes(), subject), |row| {
            Ok((row.get(0)?, read(row)?))
        })
        .optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<DeliverySummary> {
    let account: String = row.get(3)?;
    Ok(DeliverySummary {
        id: DeliveryId {
            event: EventId::from_bytes(row.get(1)?),
            endpoint: EndpointId::from_bytes(row.get(2)?),
        },
        account: account.parse().map_err(|_| code::strange("an account"))?,
        event: code::kind_of_class(row.get(4)?)?,
        first_at: key::at(row.get(0)?),
        last_at: Timestamp::from_millis(row.get(5)?),
        after: code::read_after((row.get(6)?, row.get(7)?, row.get(8)?))?,
        attempts: row.get(9)?,
        last_status: row.get(10)?,
        last_error: row.get(11)?,
    })
}
