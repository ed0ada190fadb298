//! The numbers of those whom a question is about, as far as the scope reaches.

use domain::{AccountId, EndpointId};
use rusqlite::{Connection, OptionalExtension as _};

use super::{EVERYBODY, Scope};

/// The whole scope, or one endpoint in it. More than one number only where
/// accounts shared an endpoint's id.
pub(super) fn of(
    connection: &Connection,
    scope: &Scope,
    endpoint: Option<EndpointId>,
) -> rusqlite::Result<Vec<i64>> {
    match (scope, endpoint) {
        (scope, Some(endpoint)) => of_endpoint(connection, scope, endpoint),
        (Scope::All, None) => Ok(vec![EVERYBODY]),
        (Scope::Account(account), None) => {
            Ok(of_account(connection, account)?.into_iter().collect())
        }
    }
}

pub(super) fn of_account(
    connection: &Connection,
    account: &AccountId,
) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM subjects WHERE endpoint = x'' AND account = ?1")?
        .query_row([account.as_str()], |row| row.get(0))
        .optional()
}

pub(super) fn of_endpoint(
    connection: &Connection,
    scope: &Scope,
    endpoint: EndpointId,
) -> rusqlite::Result<Vec<i64>> {
    let endpoint = endpoint.to_bytes();
    match scope {
        Scope::All => connection
            .prepare_cached("SELECT id FROM subjects WHERE endpoint = ?1")?
            .query_map([endpoint], |row| row.get(0))?
            .collect(),
        Scope::Account(account) => connection
            .prepare_cached("SELECT id FROM subjects WHERE endpoint = ?1 AND account = ?2")?
            .query_map((endpoint, account.as_str()), |row| row.get(0))?
            .collect(),
    }
}
