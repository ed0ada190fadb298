//! The tables.

use std::time::Duration;

use index::Schema;

/// How long the topic keeps its records, and the index what they say.
pub(super) const RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);

/// An index that was behind for longer holds nothing that is still to be shown.
pub(super) const SCHEMA: Schema = Schema {
    tables: TABLES,
    max_age: RETENTION,
};

/// Rows are small, and what grows is written at its end: see [`super::key`].
const TABLES: &str = "
-- Whom figures are about: an endpoint, or an account as a whole, which has an
-- empty endpoint. Everybody together is 0 and has no row. first_failures: the
-- first failures after the last success, eight bytes each.
CREATE TABLE subjects (
    id INTEGER PRIMARY KEY,
    endpoint BLOB NOT NULL,
    account TEXT NOT NULL,
    last_at INTEGER NOT NULL,
    last_attempt INTEGER,
    last_success INTEGER,
    last_failure INTEGER,
    first_failures BLOB NOT NULL,
    UNIQUE (endpoint, account)
) STRICT;
CREATE INDEX subjects_by_account ON subjects (account);

CREATE TABLE topics (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- One row a delivery, as it stands after its latest record. class is state and
-- kind of event in one; tier and due are there while it waits.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    event BLOB NOT NULL,
    endpoint INTEGER NOT NULL,
    account INTEGER NOT NULL,
    class INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    after INTEGER NOT NULL,
    tier INTEGER,
    due INTEGER,
    attempts INTEGER NOT NULL,
    status INTEGER
) STRICT;
CREATE UNIQUE INDEX deliveries_by_event ON deliveries (event, endpoint);
CREATE INDEX deliveries_by_class ON deliveries (class);
CREATE INDEX deliveries_by_account ON deliveries (account, class);
CREATE INDEX deliveries_by_endpoint ON deliveries (endpoint, class);
CREATE INDEX deliveries_waiting ON deliveries (endpoint, tier, due) WHERE tier IS NOT NULL;

-- One row a record.
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    delivery INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status INTEGER,
    after INTEGER NOT NULL,
    tier INTEGER,
    due INTEGER,
    topic INTEGER NOT NULL,
    log_partition INTEGER NOT NULL,
    log_offset INTEGER NOT NULL,
    error TEXT,
    response TEXT
) STRICT;
CREATE INDEX attempts_by_delivery ON attempts (delivery);

-- How many deliveries wait.
CREATE TABLE waiting (
    endpoint INTEGER NOT NULL,
    tier INTEGER NOT NULL,
    deliveries INTEGER NOT NULL,
    PRIMARY KEY (endpoint, tier)
) STRICT, WITHOUT ROWID;

-- What records add up to, by steps of time. What is written now stands together.
CREATE TABLE tallies (
    step INTEGER NOT NULL,
    start INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    retry INTEGER NOT NULL,
    dead_letter INTEGER NOT NULL,
    dead_letter_without_attempt INTEGER NOT NULL,
    deferred INTEGER NOT NULL,
    times BLOB NOT NULL,
    PRIMARY KEY (step, start, subject)
) STRICT, WITHOUT ROWID;

-- Rows of attempts and deliveries; counting them would read them all.
-- taken: records ever taken in, which numbers them.
CREATE TABLE sizes (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    taken INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    deliveries INTEGER NOT NULL
) STRICT;
INSERT INTO sizes VALUES (1, 0, 0, 0);
";

/// Empties them.
pub(super) const CLEAR: &str = "
DELETE FROM subjects; DELETE FROM topics; DELETE FROM deliveries; DELETE FROM attempts;
DELETE FROM waiting; DELETE FROM tallies;
UPDATE sizes SET taken = 0, attempts = 0, deliveries = 0;
";
