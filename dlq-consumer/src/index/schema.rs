//! The tables, and whether a file that is there can be gone on with.

use std::fmt;
use std::time::Duration;

use domain::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

/// Raise it with every change of the tables: a file with another one is made anew.
const VERSION: i32 = 1;

/// A tombstone can be seen on the topic for 7 days (`delete.retention.ms`).
/// An index that was behind for longer could keep entries that were taken off
/// the list; one day of the seven is left for the reading itself.
pub(super) const MAX_AGE: Duration = Duration::from_secs(6 * 24 * 3600);

/// Payloads stand apart, so that looking through entries does not read them.
const TABLES: &str = "
CREATE TABLE origin (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    topic TEXT NOT NULL,
    cluster TEXT NOT NULL,
    next_offset INTEGER NOT NULL,
    current_at INTEGER NOT NULL
) STRICT;
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
CREATE INDEX failures_by_account ON failures (account);
CREATE INDEX failures_by_endpoint ON failures (endpoint);
CREATE TABLE bodies (
    log_offset INTEGER PRIMARY KEY,
    headers TEXT NOT NULL,
    value BLOB NOT NULL
) STRICT;
";

/// Which topic an index is of. The same name on another cluster is another topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) topic: String,
    pub(crate) cluster: String,
}

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) identity: Identity,
    pub(super) next_offset: i64,
    /// When it last held everything that was on the topic, in milliseconds
    /// since 1970.
    pub(super) current_at: Timestamp,
}

/// Why an index is made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WhyNew {
    /// There was none.
    Missing,
    /// The file is no SQLite file, or a broken one.
    Broken(String),
    /// Its tables are of another version of this program.
    OtherVersion(i32),
    /// It is of another topic or cluster.
    OtherTopic(Identity),
    /// It did not hold all of the topic for so long.
    TooOld(Duration),
}

impl fmt::Display for WhyNew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there was none"),
            Self::Broken(error) => write!(f, "the file is broken: {error}"),
            Self::OtherVersion(found) => {
                write!(f, "its tables have version {found}, not {VERSION}")
            }
            Self::OtherTopic(Identity { topic, cluster }) => {
                write!(f, "it is of the topic {topic} on the cluster {cluster}")
            }
            Self::TooOld(age) => write!(
                f,
                "it was last current {} hours ago, more than {} hours",
                age.as_secs() / 3600,
                MAX_AGE.as_secs() / 3600
            ),
        }
    }
}

/// Whether a file of this version can be gone on with.
pub(super) fn judge(found: &Origin, wanted: &Identity, now: Timestamp) -> Result<(), WhyNew> {
    if found.identity != *wanted {
        return Err(WhyNew::OtherTopic(found.identity.clone()));
    }
    let age = now.since(found.current_at);
    if age > MAX_AGE {
        return Err(WhyNew::TooOld(age));
    }
    Ok(())
}

/// What the file says of itself, or why it cannot be read so.
pub(super) fn read_origin(
    connection: &Connection,
) -> Result<Result<Origin, WhyNew>, rusqlite::Error> {
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match version {
        VERSION => {}
        // An empty file has version 0.
        0 => return Ok(Err(WhyNew::Missing)),
        other => return Ok(Err(WhyNew::OtherVersion(other))),
    }
    let origin = connection
        .query_row(
            "SELECT topic, cluster, next_offset, current_at FROM origin",
            [],
            |row| {
                Ok(Origin {
                    identity: Identity {
                        topic: row.get(0)?,
                        cluster: row.get(1)?,
                    },
                    next_offset: row.get(2)?,
                    current_at: Timestamp::from_millis(row.get(3)?),
                })
            },
        )
        .optional()?;
    Ok(origin.ok_or_else(|| WhyNew::Broken("it does not say what it is of".to_owned())))
}

/// Makes the tables in an empty file.
pub(super) fn make(connection: &mut Connection, origin: &Origin) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.execute(
        "INSERT INTO origin VALUES (1, ?1, ?2, ?3, ?4)",
        (
            &origin.identity.topic,
            &origin.identity.cluster,
            origin.next_offset,
            origin.current_at.millis(),
        ),
    )?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(topic: &str) -> Identity {
        Identity {
            topic: topic.to_owned(),
            cluster: "one".to_owned(),
        }
    }

    fn origin(current_at: i64) -> Origin {
        Origin {
            identity: identity("webhooks.dead-letter"),
            next_offset: 7,
            current_at: Timestamp::from_millis(current_at),
        }
    }

    #[test]
    fn a_current_index_of_the_same_topic_is_gone_on_with() {
        let now = Timestamp::from_millis(0) + MAX_AGE;
        assert_eq!(
            judge(&origin(0), &identity("webhooks.dead-letter"), now),
            Ok(())
        );
    }

    #[test]
    fn an_index_that_may_have_missed_tombstones_is_made_anew() {
        let now = Timestamp::from_millis(1) + MAX_AGE;
        let judged = judge(&origin(0), &identity("webhooks.dead-letter"), now);
        assert!(matches!(judged, Err(WhyNew::TooOld(_))), "{judged:?}");
    }

    #[test]
    fn an_index_of_another_topic_or_cluster_is_made_anew() {
        let now = Timestamp::from_millis(0);
        let elsewhere = Identity {
            cluster: "two".to_owned(),
            ..identity("webhooks.dead-letter")
        };
        for wanted in [identity("staging.webhooks.dead-letter"), elsewhere] {
            let judged = judge(&origin(0), &wanted, now);
            assert!(matches!(judged, Err(WhyNew::OtherTopic(_))), "{judged:?}");
        }
    }
}
