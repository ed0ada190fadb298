//! What a file says of itself, and whether it can be gone on with.

use std::fmt;
use std::time::Duration;

use domain::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

/// What one kind of index consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// SQL that makes the index's own tables. A file that another text made is
    /// made anew: where only the meaning of a column changes, change a comment.
    pub tables: &'static str,
    /// How long the index may be behind the topic: what changed it may have
    /// left the topic by then.
    pub max_age: Duration,
}

/// The tables of every index. Positions without a row are at the partition's
/// first record.
const TABLES: &str = "
CREATE TABLE origin (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    topic TEXT NOT NULL,
    cluster TEXT NOT NULL,
    current_at INTEGER NOT NULL
) STRICT;
CREATE TABLE positions (
    partition INTEGER PRIMARY KEY,
    next_offset INTEGER NOT NULL
) STRICT;
";

/// Which topic an index is of. The same name on another cluster is another topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The topic's full name.
    pub topic: String,
    /// The cluster's id; empty where it has none.
    pub cluster: String,
}

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) identity: Identity,
    /// When it last held everything that was on the topic.
    pub(crate) current_at: Timestamp,
}

/// Why an index is made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyNew {
    /// There was none.
    Missing,
    /// The file is no SQLite file, or a broken one.
    Broken(String),
    /// Its tables are of another version of this program.
    OtherTables,
    /// It is of another topic or cluster.
    OtherTopic(Identity),
    /// It did not hold all of the topic for `age`.
    TooOld {
        /// For how long.
        age: Duration,
        /// For how long it may.
        allowed: Duration,
    },
}

impl fmt::Display for WhyNew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there was none"),
            Self::Broken(error) => write!(f, "the file is broken: {error}"),
            Self::OtherTables => f.write_str("its tables are of another version"),
            Self::OtherTopic(Identity { topic, cluster }) => {
                write!(f, "it is of the topic {topic} on the cluster {cluster}")
            }
            Self::TooOld { age, allowed } => write!(
                f,
                "it was last current {} hours ago, more than {} hours",
                age.as_secs() / 3600,
                allowed.as_secs() / 3600
            ),
        }
    }
}

impl Schema {
    /// A number for the text of all tables (FNV-1a), which stands in the
    /// file's `user_version`. Never 0, which an empty file has.
    fn version(&self) -> i32 {
        let text = TABLES.bytes().chain(self.tables.bytes());
        let hash = text.fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        (hash | 1).cast_signed()
    }

    /// Whether a file of these tables can be gone on with.
    fn judge(&self, found: &Origin, wanted: &Identity, now: Timestamp) -> Result<(), WhyNew> {
        if found.identity != *wanted {
            return Err(WhyNew::OtherTopic(found.identity.clone()));
        }
        let age = now.since(found.current_at);
        if age > self.max_age {
            let allowed = self.max_age;
            return Err(WhyNew::TooOld { age, allowed });
        }
        Ok(())
    }

    /// What the file says of itself, or why it cannot be gone on with.
    pub(crate) fn read(
        &self,
        connection: &Connection,
        wanted: &Identity,
        now: Timestamp,
    ) -> rusqlite::Result<Result<Origin, WhyNew>> {
        let version: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version == 0 {
            return Ok(Err(WhyNew::Missing));
        }
        if version != self.version() {
            return Ok(Err(WhyNew::OtherTables));
        }
        let origin = connection
            .query_row("SELECT topic, cluster, current_at FROM origin", [], |row| {
                Ok(Origin {
                    identity: Identity {
                        topic: row.get(0)?,
                        cluster: row.get(1)?,
                    },
                    current_at: Timestamp::from_millis(row.get(2)?),
                })
            })
            .optional()?;
        let Some(origin) = origin else {
            let why = "it does not say what it is of".to_owned();
            return Ok(Err(WhyNew::Broken(why)));
        };
        Ok(self.judge(&origin, wanted, now).map(|()| origin))
    }

    /// Makes the tables in an empty file.
    pub(crate) fn make(
        &self,
        connection: &mut Connection,
        origin: &Origin,
    ) -> rusqlite::Result<()> {
        let transaction = connection.transaction()?;
        transaction.execute_batch(TABLES)?;
        transaction.execute_batch(self.tables)?;
        transaction.execute(
            "INSERT INTO origin VALUES (1, ?1, ?2, ?3)",
            (
                &origin.identity.topic,
                &origin.identity.cluster,
                origin.current_at.millis(),
            ),
        )?;
        transaction.pragma_update(None, "user_version", self.version())?;
        transaction.commit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: Schema = Schema {
        tables: "",
        max_age: Duration::from_secs(6 * 24 * 3600),
    };

    fn identity(topic: &str) -> Identity {
        Identity {
            topic: topic.to_owned(),
            cluster: "one".to_owned(),
        }
    }

    fn origin(current_at: i64) -> Origin {
        Origin {
            identity: identity("webhooks.dead-letter"),
            current_at: Timestamp::from_millis(current_at),
        }
    }

    #[test]
    fn a_current_index_of_the_same_topic_is_gone_on_with() {
        let now = Timestamp::from_millis(0) + SCHEMA.max_age;
        let judged = SCHEMA.judge(&origin(0), &identity("webhooks.dead-letter"), now);
        assert_eq!(judged, Ok(()));
    }

    #[test]
    fn an_index_that_may_have_missed_tombstones_is_made_anew() {
        let now = Timestamp::from_millis(1) + SCHEMA.max_age;
        let judged = SCHEMA.judge(&origin(0), &identity("webhooks.dead-letter"), now);
        assert!(matches!(judged, Err(WhyNew::TooOld { .. })), "{judged:?}");
    }

    #[test]
    fn an_index_of_another_topic_or_cluster_is_made_anew() {
        let now = Timestamp::from_millis(0);
        let elsewhere = Identity {
            cluster: "two".to_owned(),
            ..identity("webhooks.dead-letter")
        };
        for wanted in [identity("staging.webhooks.dead-letter"), elsewhere] {
            let judged = SCHEMA.judge(&origin(0), &wanted, now);
            assert!(matches!(judged, Err(WhyNew::OtherTopic(_))), "{judged:?}");
        }
    }

    #[test]
    fn other_tables_have_another_version() {
        let other = Schema {
            tables: "-- 2",
            ..SCHEMA
        };
        assert_ne!(SCHEMA.version(), other.version());
    }
}
