//! The row of a delivery: as it stands after its latest record.

use domain::{AttemptRecord, Timestamp};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _};

use super::subjects::Endpoint;
use super::waiting::Waiting;
use crate::attempts::code::{self, DeliveryState};
use crate::attempts::key;

pub(super) struct Deliveries<'c> {
    find: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    count: CachedStatement<'c>,
    update: CachedStatement<'c>,
}

/// The row that a record belongs to.
pub(super) struct Noted {
    pub(super) key: i64,
    pub(super) is_new: bool,
}

impl<'c> Deliveries<'c> {
    pub(super) fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            find: connection.prepare_cached(
                "SELECT id, last_at, tier FROM deliveries WHERE event = ?1 AND endpoint = ?2",
            )?,
            insert: connection.prepare_cached(
                "INSERT INTO deliveries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
                 ON CONFLICT (id) DO NOTHING",
            )?,
            count: connection
                .prepare_cached("UPDATE deliveries SET attempts = attempts + ?2 WHERE id = ?1")?,
            update: connection.prepare_cached(
                "UPDATE deliveries SET attempts = attempts + ?2, class = ?3, last_at = ?4, \
                 after = ?5, tier = ?6, due = ?7, status = ?8 WHERE id = ?1",
            )?,
        })
    }

    /// Takes in a record of `at`. The latest one counts, and of two of the same
    /// millisecond the one that stands later on the topic: a delivery that is
    /// sent again after it was given up begins at attempt 1 again, so the
    /// attempt's number says nothing.
    pub(super) fn note(
        &mut self,
        at: Timestamp,
        endpoint: &Endpoint,
        record: &AttemptRecord,
        waiting: &mut Waiting,
    ) -> rusqlite::Result<Noted> {
        let event = record.delivery.event.to_bytes();
        let made = i64::from(record.was_made());
        let class = code::class(DeliveryState::after(&record.after), record.event);
        let (after, tier, due) = code::after(&record.after);
        let found = self
            .find
            .query_row((event, endpoint.id), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((key, last_at, waited)): Option<(i64, i64, Option<i64>)> = found else {
            let mut key = key::of_delivery(at, record.delivery);
            while self.insert.execute((
                key,
                event,
                endpoint.id,
                endpoint.account,
                class,
                at.millis(),
                after,
                tier,
                due,
                made,
                record.status,
            ))? == 0
            {
                key = key::next(key);
            }
            waiting.moves(endpoint.id, None, tier);
            return Ok(Noted { key, is_new: true });
        };
        if at.millis() < last_at {
            self.count.execute((key, made))?;
        } else {
            self.update.execute((
                key,
                made,
                class,
                at.millis(),
                after,
                tier,
                due,
                record.status,
            ))?;
            waiting.moves(endpoint.id, waited, tier);
        }
        Ok(Noted { key, is_new: false })
    }
}
