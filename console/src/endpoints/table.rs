//! The endpoint table in memory: what the records of `webhooks.endpoints` come
//! to. Pure.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use domain::{
    AccountId, Endpoint, EndpointId, EndpointKey, EndpointState, EndpointStateRecord, Timestamp,
};
use serde_json::error::Category;

use super::Found;

/// A place in the list of all endpoints: accounts in the order of their names,
/// the endpoints of one in the order of their creation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Whose.
    pub(crate) account: AccountId,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// Which.
    pub(crate) id: EndpointId,
}

/// A record of the topic that is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotARecord {
    #[error("the key is neither an endpoint's id nor <id>/state")]
    Key,
    #[error("the value cannot be read: {category:?} error at column {column}")]
    Value { category: Category, column: usize },
    #[error("the value is the endpoint {0}, not that of the key")]
    OtherEndpoint(EndpointId),
}

/// The order within an account.
type Age = (Timestamp, EndpointId);

/// All endpoints, with what the dispatcher says of their states.
#[derive(Debug, Default)]
pub(super) struct EndpointTable {
    accounts: BTreeMap<AccountId, BTreeMap<Age, Arc<Endpoint>>>,
    by_id: HashMap<EndpointId, Arc<Endpoint>>,
    said: HashMap<EndpointId, EndpointStateRecord>,
    counts: StateCounts,
}

/// How many endpoints are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct StateCounts {
    pub(crate) enabled: i64,
    pub(crate) paused: i64,
    pub(crate) disabled: i64,
}

impl StateCounts {
    pub(crate) fn all(self) -> u64 {
        (self.enabled + self.paused + self.disabled).unsigned_abs()
    }

    /// Those that get nothing now.
    pub(crate) fn silent(self) -> u64 {
        (self.paused + self.disabled).unsigned_abs()
    }

    const fn add(&mut self, state: Option<EndpointState>, by: i64) {
        match state {
            Some(EndpointState::Enabled) => self.enabled += by,
            Some(EndpointState::Paused) => self.paused += by,
            Some(EndpointState::Disabled) => self.disabled += by,
            None => {}
        }
    }
}

impl EndpointTable {
    /// Takes in one record; `None` as the value removes its key.
    pub(super) fn apply(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), NotARecord> {
        let key = std::str::from_utf8(key)
            .ok()
            .and_then(EndpointKey::parse)
            .ok_or(NotARecord::Key)?;
        let (EndpointKey::Record(id) | EndpointKey::State(id)) = key;
        // Read before anything changes: what cannot be read changes nothing.
        match key {
            EndpointKey::Record(_) => {
                let endpoint = value.map(read::<Endpoint>).transpose()?;
                if let Some(other) = endpoint.as_ref().filter(|endpoint| endpoint.id != id) {
                    return Err(NotARecord::OtherEndpoint(other.id));
                }
                self.counted(id, |table| table.replace(id, endpoint));
            }
            EndpointKey::State(_) => {
                let said = value.map(read::<EndpointStateRecord>).transpose()?;
                self.counted(id, |table| match said {
                    Some(said) => drop(table.said.insert(id, said)),
                    None => drop(table.said.remove(&id)),
                });
            }
        }
        Ok(())
    }

    fn counted(&mut self, id: EndpointId, change: impl FnOnce(&mut Self)) {
        let before = self.state(id);
        change(self);
        let after = self.state(id);
        self.counts.add(before, -1);
        self.counts.add(after, 1);
    }

    fn replace(&mut self, id: EndpointId, endpoint: Option<Endpoint>) {
        if let Some(old) = self.by_id.remove(&id)
            && let Some(account) = self.accounts.get_mut(&old.account)
        {
            account.remove(&(old.created_at, id));
            if account.is_empty() {
                self.accounts.remove(&old.account);
            }
        }
        if let Some(endpoint) = endpoint.map(Arc::new) {
            let place = (endpoint.created_at, id);
            self.by_id.insert(id, Arc::clone(&endpoint));
            self.accounts
                .entry(endpoint.account.clone())
                .or_default()
                .insert(place, endpoint);
        }
    }

    fn state(&self, id: EndpointId) -> Option<EndpointState> {
        let endpoint = self.by_id.get(&id)?;
        Some(endpoint.state(self.said.get(&id)))
    }

    pub(super) fn get(&self, id: EndpointId) -> Option<Found> {
        self.by_id.get(&id).map(|endpoint| self.found(endpoint))
    }

    fn found(&self, endpoint: &Arc<Endpoint>) -> Found {
        Found {
            endpoint: Arc::clone(endpoint),
            said: self.said.get(&endpoint.id).cloned(),
        }
    }

    /// Up to `limit` endpoints behind `after` that `keep` wants, of one account
    /// or of all.
    pub(super) fn list(
        &self,
        account: Option<&AccountId>,
        after: Option<&Place>,
        limit: usize,
        keep: impl Fn(&Found) -> bool,
    ) -> Vec<Found> {
        let (from, to) = match account {
            Some(account) => (Bound::Included(account), Bound::Included(account)),
            None => {
                let from = after.map(|place| &place.account);
                (
                    from.map_or(Bound::Unbounded, Bound::Included),
                    Bound::Unbounded,
                )
            }
        };
        self.accounts
            .range::<AccountId, _>((from, to))
            .flat_map(|(account, endpoints)| {
                let start = match after {
                    Some(place) if place.account == *account => {
                        Bound::Excluded((place.created_at, place.id))
                    }
                    Some(_) | None => Bound::Unbounded,
                };
                endpoints.range((start, Bound::Unbounded))
            })
            .map(|(_, endpoint)| self.found(endpoint))
            .filter(|found| keep(found))
            .take(limit)
            .collect()
    }

    /// How many endpoints an account has.
    pub(super) fn count(&self, account: &AccountId) -> usize {
        self.accounts.get(account).map_or(0, BTreeMap::len)
    }

    pub(super) const fn counts(&self) -> StateCounts {
        self.counts
    }

    pub(super) fn counts_of(&self, account: &AccountId) -> StateCounts {
        let mut counts = StateCounts::default();
        for id in self.accounts.get(account).into_iter().flatten() {
            counts.add(self.state(id.0.1), 1);
        }
        counts
    }

    pub(super) fn accounts(&self) -> Vec<AccountId> {
        self.accounts.keys().cloned().collect()
    }
}

fn read<T: serde::de::DeserializeOwned>(value: &[u8]) -> Result<T, NotARecord> {
    // Not the error's own text: it shows parts of the value.
    serde_json::from_slice(value).map_err(|error| NotARecord::Value {
        category: error.classify(),
        column: error.column(),
    })
}
