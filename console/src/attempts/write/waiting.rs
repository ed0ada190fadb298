//! How many deliveries wait, by endpoint and tier.

use std::collections::BTreeMap;

use rusqlite::Connection;

/// What changes.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// By endpoint and tier in milliseconds.
    more: BTreeMap<(i64, i64), i64>,
}

impl Waiting {
    /// A delivery of `endpoint` waited for the tier `before` and waits for `after`.
    pub(super) fn moves(&mut self, endpoint: i64, before: Option<i64>, after: Option<i64>) {
        if before == after {
            return;
        }
        for (tier, more) in [(before, -1), (after, 1)] {
            if let Some(tier) = tier {
                *self.more.entry((endpoint, tier)).or_default() += more;
            }
        }
    }

    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        let mut add = connection.prepare_cached(
            "INSERT INTO waiting VALUES (?1, ?2, ?3) \
             ON CONFLICT DO UPDATE SET deliveries = deliveries + excluded.deliveries",
        )?;
        let mut empty = connection.prepare_cached(
            "DELETE FROM waiting WHERE endpoint = ?1 AND tier = ?2 AND deliveries <= 0",
        )?;
        let changed = self.more.into_iter().filter(|(_, more)| *more != 0);
        for ((endpoint, tier), more) in changed {
            add.execute((endpoint, tier, more))?;
            if more < 0 {
                empty.execute((endpoint, tier))?;
            }
        }
        Ok(())
    }
}
