//! The tables.

use std::time::Duration;

use index::Schema;

/// A tombstone can be seen on the topic for 7 days (`delete.retention.ms`).
/// An index that was behind for longer could keep entries that were taken off
/// the list; one day of the seven is left for the reading itself.
const MAX_AGE: Duration = Duration::from_secs(6 * 24 * 3600);

/// Payloads stand apart, so that looking through entries does not read them. What
/// an account's entries are chosen by stands in its index, in their order:
/// counting them reads nothing else.
const TABLES: &str = "
CREATE TABLE failures (
    log_offset INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    poison INTEGER NOT NULL,
    account TEXT,
    event_id TEXT,
    event TEXT,
    endpoint TEXT,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    last_status INTEGER,
    last_error TEXT,
    first_attempt_at INTEGER,
    failed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX failures_by_account
    ON failures (account, log_offset, poison, event, reason, endpoint, failed_at);
CREATE INDEX failures_by_endpoint ON failures (endpoint);
CREATE TABLE bodies (
    log_offset INTEGER PRIMARY KEY,
    headers TEXT NOT NULL,
    value BLOB NOT NULL
) STRICT;
";

pub(super) const SCHEMA: Schema = Schema {
    tables: TABLES,
    max_age: MAX_AGE,
};
