//! Endpoints that take nothing now.

use domain::{EndpointId, Timestamp};
use rusqlite::{Connection, Row};

use super::Scope;
use crate::attempts::endpoint_health::EndpointHealth;

/// An endpoint that has taken nothing since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// Which. It may have been deleted meanwhile.
    pub endpoint: EndpointId,
    /// When the first attempt began that failed after the last one that did not.
    pub since: Timestamp,
}

/// Those of the scope, the longest failing first.
pub(crate) fn failing(
    connection: &mut Connection,
    scope: &Scope,
) -> rusqlite::Result<Vec<Failing>> {
    const ALL: &str = "SELECT endpoint, first_failures FROM subjects \
         WHERE endpoint <> x'' AND first_failures <> x''";
    let found: Vec<Option<Failing>> = match scope {
        Scope::All => connection
            .prepare_cached(ALL)?
            .query_map([], one)?
            .collect::<rusqlite::Result<_>>()?,
        Scope::Account(account) => connection
            .prepare_cached(&format!("{ALL} AND account = ?1"))?
            .query_map([account.as_str()], one)?
            .collect::<rusqlite::Result<_>>()?,
    };
    let mut failing: Vec<Failing> = found.into_iter().flatten().collect();
    failing.sort_by_key(|failing| (failing.since, failing.endpoint));
    Ok(failing)
}

fn one(row: &Row<'_>) -> rusqlite::Result<Option<Failing>> {
    let failures = EndpointHealth::failures_of_bytes(row.get_ref(1)?.as_blob()?);
    let endpoint = EndpointId::from_bytes(row.get(0)?);
    Ok(failures.first().map(|first| Failing {
        endpoint,
        since: Timestamp::from_millis(*first),
    }))
}
