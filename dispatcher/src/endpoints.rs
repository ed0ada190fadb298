//! The endpoint table: a compacted topic in memory, made ready for sending.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use delivery::{Guard, PreparedRequest, Refused, Target};
use domain::{
    AccountId, Endpoint, EndpointId, EndpointKey, EndpointState, EndpointStateRecord,
    FilteredEvent, KeyRing, OpenError, SigningKey, Timestamp,
};
use kafka::TableRecord;
use rustc_hash::FxHashMap;

/// An endpoint at one version, with what every attempt at it needs.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) record: Endpoint,
    pub(crate) state: EndpointState,
    pub(crate) ready: Result<Ready, NotReady>,
}

/// What an attempt needs.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) target: Target,
    pub(crate) request: PreparedRequest,
    /// The newest first.
    keys: Vec<SigningKey>,
    /// Until when each signs.
    ends: Vec<Option<Timestamp>>,
}

/// Why nothing can be sent to an endpoint.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum NotReady {
    /// The guard of this dispatcher refuses its URL or headers.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Its secrets cannot be opened: nothing can be signed. A setting is wrong,
    /// and not the endpoint.
    #[error(transparent)]
    Sealed(#[from] OpenError),
}

impl Ready {
    fn new(record: &Endpoint, guard: &Guard, keys: &KeyRing) -> Result<Self, NotReady> {
        let open = |sealed: &domain::SealedSecret| -> Result<_, OpenError> {
            let secret = keys.open(&record.account, record.id, sealed)?;
            Ok(SigningKey::new(&secret))
        };
        // What has ended may be sealed with a key that is gone from the settings.
        let signing: Vec<_> = record.signing_secrets(Timestamp::now()).collect();
        Ok(Self {
            ends: signing.iter().map(|sealed| sealed.expires_at).collect(),
            keys: signing.into_iter().map(open).collect::<Result<_, _>>()?,
            target: guard.check_url(&record.url)?,
            request: PreparedRequest::new(&record.headers)?,
        })
    }

    /// The keys that sign at `now`, the newest first. A rotation replaces one
    /// after the other, so that an older one does not end later.
    pub(crate) fn keys(&self, now: Timestamp) -> &[SigningKey] {
        let over = |end: &Option<Timestamp>| end.is_some_and(|end| end <= now);
        let signing = self.ends.iter().position(over).unwrap_or(self.keys.len());
        &self.keys[..signing]
    }
}

#[derive(Default)]
struct Tables {
    /// Ids are our own random numbers: they need no hash that withstands chosen ones.
    by_id: FxHashMap<EndpointId, Arc<Entry>>,
    by_account: HashMap<AccountId, FxHashMap<EndpointId, Arc<Entry>>>,
    said: HashMap<EndpointId, EndpointStateRecord>,
    /// The offset after the last record that was taken in.
    read_to: i64,
}

/// All endpoints. Written by the thread that follows the topic, read by the
/// engine.
pub(crate) struct EndpointTable {
    guard: Guard,
    keys: KeyRing,
    tables: RwLock<Tables>,
    /// Held while an entry is worked out and put: the table's thread and the
    /// engine both do so, and an older one must not replace a newer one.
    writing: Mutex<()>,
}

impl EndpointTable {
    pub(crate) fn new(guard: Guard, keys: KeyRing) -> Self {
        Self {
            guard,
            keys,
            tables: RwLock::default(),
            writing: Mutex::default(),
        }
    }

    /// Takes in one record of the topic.
    pub(crate) fn apply(&self, record: &TableRecord<'_>) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let key = std::str::from_utf8(record.key());
        let key = key.ok().and_then(EndpointKey::parse);
        let applied = match (key, record.value()) {
            (Some(EndpointKey::Record(id)), None) => {
                self.write().remove(id);
                Ok(())
            }
            (Some(EndpointKey::Record(id)), Some(value)) => {
                serde_json::from_slice(value).map(|record| self.put(id, record))
            }
            (Some(EndpointKey::State(id)), None) => {
                self.write().said.remove(&id);
                self.refresh(id);
                Ok(())
            }
            (Some(EndpointKey::State(id)), Some(value)) => {
                serde_json::from_slice(value).map(|said| self.note(id, said))
            }
            (None, _) => {
                tracing::warn!(
                    "a record of the endpoint table has a key that is no endpoint's, it is passed over"
                );
                Ok(())
            }
        };
        if let Err(error) = applied {
            tracing::error!(?key, %error, "a record of the endpoint table cannot be read, the one before it stays in force");
        }
        self.write().read_to = record.offset() + 1;
    }

    /// Disables an endpoint at once; the record that makes it durable follows.
    pub(crate) fn say(&self, id: EndpointId, said: EndpointStateRecord) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.note(id, said);
    }

    /// Takes in a word on an endpoint's state, unless a later one is known.
    fn note(&self, id: EndpointId, said: EndpointStateRecord) {
        let mut tables = self.write();
        let later =
            |known: &EndpointStateRecord| known.disabled_activation > said.disabled_activation;
        if tables.said.get(&id).is_some_and(later) {
            return;
        }
        tables.said.insert(id, said);
        drop(tables);
        self.refresh(id);
    }

    pub(crate) fn get(&self, id: EndpointId) -> Option<Arc<Entry>> {
        self.read().by_id.get(&id).cloned()
    }

    /// Adds the account's endpoints that get this event to `into`: those that
    /// chose it, and whose filter lets it pass. Gives the offset that the table
    /// was read to then.
    pub(crate) fn interested(
        &self,
        account: &AccountId,
        event: &FilteredEvent<'_>,
        into: &mut Vec<EndpointId>,
    ) -> i64 {
        let tables = self.read();
        let endpoints = tables.by_account.get(account);
        into.extend(
            endpoints
                .into_iter()
                .flat_map(FxHashMap::values)
                .filter(|entry| entry.state != EndpointState::Disabled)
                .filter(|entry| entry.record.events.contains(&event.kind()))
                .filter(|entry| entry.record.filter.lets_pass(event))
                .map(|entry| entry.record.id),
        );
        tables.read_to
    }

    /// Forgets everything: the topic is read anew.
    pub(crate) fn clear(&self) {
        *self.write() = Tables::default();
    }

    pub(crate) fn len(&self) -> usize {
        self.read().by_id.len()
    }

    fn put(&self, id: EndpointId, record: Endpoint) {
        if id != record.id {
            tracing::error!(%id, "an endpoint's record names another id than its key, it is passed over");
            return;
        }
        let ready = Ready::new(&record, &self.guard, &self.keys);
        if let Err(why) = &ready {
            tracing::error!(endpoint = %id, account = %record.account, %why, "nothing can be sent to this endpoint");
        }
        let mut tables = self.write();
        tables.remove(id);
        let state = record.state(tables.said.get(&id));
        tables.put(Entry {
            record,
            state,
            ready,
        });
    }

    /// Works out an endpoint's state anew, after the dispatcher's word changed.
    fn refresh(&self, id: EndpointId) {
        let record = self.read().by_id.get(&id).map(|entry| entry.record.clone());
        if let Some(record) = record {
            self.put(id, record);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn put(&mut self, entry: Entry) {
        let entry = Arc::new(entry);
        let record = &entry.record;
        self.by_account
            .entry(record.account.clone())
            .or_default()
            .insert(record.id, Arc::clone(&entry));
        self.by_id.insert(record.id, entry);
    }

    fn remove(&mut self, id: EndpointId) {
        let Some(entry) = self.by_id.remove(&id) else {
            return;
        };
        let account = &entry.record.account;
        if let Some(endpoints) = self.by_account.get_mut(account) {
            endpoints.remove(&id);
            if endpoints.is_empty() {
                self.by_account.remove(account);
            }
        }
    }
}
