//! Whom the records of a batch are about: their rows, read once and written once.

use std::collections::{BTreeSet, HashMap};

use domain::{AccountId, AfterAttempt, AttemptRecord, EndpointId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _};

use crate::attempts::endpoint_health::EndpointHealth;

/// An endpoint of the batch.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) id: i64,
    /// The number of its account as a whole.
    pub(super) account: i64,
    last_at: i64,
    health: EndpointHealth,
}

impl Endpoint {
    /// Takes in one of its records, of `at`.
    pub(super) fn note(&mut self, at: Timestamp, record: &AttemptRecord) {
        self.last_at = self.last_at.max(at.millis());
        if record.was_made() {
            let succeeded = record.after == AfterAttempt::Delivered;
            self.health.attempt(at.millis(), succeeded);
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Subjects {
    endpoints: HashMap<(AccountId, EndpointId), Endpoint>,
    accounts: HashMap<AccountId, i64>,
}

impl Subjects {
    /// The endpoint, which is made where it is new.
    pub(super) fn endpoint(
        &mut self,
        connection: &Connection,
        account: &AccountId,
        endpoint: EndpointId,
    ) -> rusqlite::Result<&mut Endpoint> {
        let key = (account.clone(), endpoint);
        if !self.endpoints.contains_key(&key) {
            let account_id = self.account(connection, account)?;
            let found = read(connection, account, endpoint, account_id)?;
            let found = match found {
                Some(found) => found,
                None => Endpoint {
                    id: insert(connection, account, &endpoint.to_bytes())?,
                    account: account_id,
                    last_at: 0,
                    health: EndpointHealth::default(),
                },
            };
            self.endpoints.insert(key.clone(), found);
        }
        Ok(self.endpoints.get_mut(&key).expect("it was just put there"))
    }

    fn account(&mut self, connection: &Connection, account: &AccountId) -> rusqlite::Result<i64> {
        if let Some(id) = self.accounts.get(account) {
            return Ok(*id);
        }
        let found = connection
            .prepare_cached("SELECT id FROM subjects WHERE endpoint = x'' AND account = ?1")?
            .query_row([account.as_str()], |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => insert(connection, account, &[])?,
        };
        self.accounts.insert(account.clone(), id);
        Ok(id)
    }

    /// Writes what has become of them, and gives whose they are.
    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<BTreeSet<AccountId>> {
        let mut update = connection.prepare_cached(
            "UPDATE subjects SET last_at = ?2, last_attempt = ?3, last_success = ?4, \
             last_failure = ?5, first_failures = ?6 WHERE id = ?1",
        )?;
        let mut last_at: HashMap<i64, i64> = HashMap::new();
        for endpoint in self.endpoints.values() {
            let health = &endpoint.health;
            update.execute((
                endpoint.id,
                endpoint.last_at,
                health.last_attempt,
                health.last_success,
                health.last_failure,
                health.failures_to_bytes(),
            ))?;
            let of_account = last_at.entry(endpoint.account).or_default();
            *of_account = endpoint.last_at.max(*of_account);
        }
        let mut update = connection
            .prepare_cached("UPDATE subjects SET last_at = max(last_at, ?2) WHERE id = ?1")?;
        for account in last_at {
            update.execute(account)?;
        }
        Ok(self.accounts.into_keys().collect())
    }
}

fn read(
    connection: &Connection,
    account: &AccountId,
    endpoint: EndpointId,
    account_id: i64,
) -> rusqlite::Result<Option<Endpoint>> {
    connection
        .prepare_cached(
            "SELECT id, last_at, last_attempt, last_success, last_failure, first_failures \
             FROM subjects WHERE endpoint = ?1 AND account = ?2",
        )?
        .query_row((endpoint.to_bytes(), account.as_str()), |row| {
            Ok(Endpoint {
                id: row.get(0)?,
                account: account_id,
                last_at: row.get(1)?,
                health: EndpointHealth {
                    last_attempt: row.get(2)?,
                    last_success: row.get(3)?,
                    last_failure: row.get(4)?,
                    first_failures: EndpointHealth::failures_of_bytes(row.get_ref(5)?.as_blob()?),
                },
            })
        })
        .optional()
}

fn insert(connection: &Connection, account: &AccountId, endpoint: &[u8]) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO subjects (endpoint, account, last_at, first_failures) \
             VALUES (?1, ?2, 0, x'')",
        )?
        .insert((endpoint, account.as_str()))
}
