//! The row of a record.

use std::collections::HashMap;

use domain::{AttemptRecord, Timestamp};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _};

use crate::attempts::{code, key};

pub(super) struct Records<'c> {
    insert: CachedStatement<'c>,
    find_topic: CachedStatement<'c>,
    insert_topic: CachedStatement<'c>,
    topics: HashMap<String, i64>,
}

impl<'c> Records<'c> {
    pub(super) fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            insert: connection.prepare_cached(
                "INSERT INTO attempts \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
                 ON CONFLICT DO NOTHING",
            )?,
            find_topic: connection.prepare_cached("SELECT id FROM topics WHERE name = ?1")?,
            insert_topic: connection.prepare_cached("INSERT INTO topics (name) VALUES (?1)")?,
            topics: HashMap::new(),
        })
    }

    /// Writes the `taken`-th record, of `at`, which belongs to `delivery`.
    pub(super) fn insert(
        &mut self,
        at: Timestamp,
        taken: i64,
        delivery: i64,
        record: &AttemptRecord,
    ) -> rusqlite::Result<()> {
        let topic = self.topic(&record.topic)?;
        let (after, tier, due) = code::after(&record.after);
        let mut key = key::of_record(at, taken);
        while self.insert.execute((
            key,
            delivery,
            record.attempt,
            record.duration_ms,
            record.status,
            after,
            tier,
            due,
            topic,
            record.partition,
            record.offset,
            &record.error,
            &record.response,
        ))? == 0
        {
            key = key::next(key);
        }
        Ok(())
    }

    fn topic(&mut self, name: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.topics.get(name) {
            return Ok(*id);
        }
        let found = self
            .find_topic
            .query_row([name], |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => self.insert_topic.insert([name])?,
        };
        self.topics.insert(name.to_owned(), id);
        Ok(id)
    }
}
