//! What waits: deliveries whose latest record is a retry or a deferral.

use std::collections::BTreeMap;

use domain::{EndpointId, Tier, Timestamp};
use rusqlite::{Connection, Row};

use super::{Scope, subjects};
use crate::attempts::code::{read_tier, strange};

/// What waits, by endpoint and tier.
///
/// A delivery that is due waits until its next record comes. It never comes
/// where the endpoint was deleted, as the dispatcher drops such deliveries
/// without a record: keep the endpoints that are there by [`Self::retain`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Not sorted.
    pub endpoints: Vec<WaitingAtEndpoint>,
}

/// What waits for one endpoint with one tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingAtEndpoint {
    /// For which.
    pub endpoint: EndpointId,
    /// How much and how long.
    pub at: AtTier,
}

/// What waits with one tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtTier {
    /// The delay.
    pub tier: Tier,
    /// How many.
    pub deliveries: u64,
    /// When the first of them is due; it may be past.
    pub next_due: Timestamp,
}

impl Waiting {
    /// Keeps the endpoints that `keep` knows.
    pub fn retain(&mut self, keep: impl Fn(EndpointId) -> bool) {
        self.endpoints.retain(|waiting| keep(waiting.endpoint));
    }

    /// All endpoints together, the shortest tier first.
    #[must_use]
    pub fn by_tier(&self) -> Vec<AtTier> {
        let mut tiers: BTreeMap<Tier, AtTier> = BTreeMap::new();
        for WaitingAtEndpoint { at, .. } in &self.endpoints {
            tiers
                .entry(at.tier)
                .and_modify(|sum| {
                    sum.deliveries += at.deliveries;
                    sum.next_due = sum.next_due.min(at.next_due);
                })
                .or_insert(*at);
        }
        tiers.into_values().collect()
    }
}

pub(crate) fn waiting(
    connection: &mut Connection,
    scope: &Scope,
    endpoint: Option<EndpointId>,
) -> rusqlite::Result<Waiting> {
    const COLUMNS: &str = "SELECT s.endpoint, w.tier, w.deliveries, \
         (SELECT min(due) FROM deliveries d INDEXED BY deliveries_waiting \
          WHERE d.endpoint = w.endpoint AND d.tier = w.tier) ";
    let snapshot = connection.transaction()?;
    let mut endpoints = Vec::new();
    let read = |sql: &str, parameters: &[&dyn rusqlite::ToSql]| {
        snapshot
            .prepare_cached(&format!("{COLUMNS} {sql}"))?
            .query_map(parameters, at_endpoint)?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    match (endpoint, scope) {
        (Some(endpoint), scope) => {
            for subject in subjects::of_endpoint(&snapshot, scope, endpoint)? {
                let sql = "FROM waiting w JOIN subjects s ON s.id = w.endpoint \
                           WHERE w.endpoint = ?1";
                endpoints.extend(read(sql, &[&subject])?);
            }
        }
        (None, Scope::Account(account)) => {
            let sql = "FROM subjects s INDEXED BY subjects_by_account \
                       CROSS JOIN waiting w ON w.endpoint = s.id WHERE s.account = ?1";
            endpoints = read(sql, &[&account.as_str()])?;
        }
        (None, Scope::All) => {
            let sql = "FROM waiting w CROSS JOIN subjects s ON s.id = w.endpoint";
            endpoints = read(sql, &[])?;
        }
    }
    Ok(Waiting { endpoints })
}

fn at_endpoint(row: &Row<'_>) -> rusqlite::Result<WaitingAtEndpoint> {
    Ok(WaitingAtEndpoint {
        endpoint: EndpointId::from_bytes(row.get(0)?),
        at: AtTier {
            tier: read_tier(row.get(1)?).ok_or_else(|| strange("a tier"))?,
            deliveries: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
            next_due: Timestamp::from_millis(row.get(3)?),
        },
    })
}
