//! The newest records of the audit in memory. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use domain::{AccountId, AuditRecord, Timestamp};
use kafka::Stored;

use crate::actor::Scope;

/// Where a record stands among all: by time, and where that is equal by its
/// place on the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// When it was done.
    pub(crate) at: Timestamp,
    /// The record's partition.
    pub(crate) partition: i32,
    /// Its offset there.
    pub(crate) offset: i64,
}

impl Place {
    pub(super) fn of(record: &AuditRecord, stored: Stored) -> Self {
        Self {
            at: record.at,
            partition: stored.partition,
            offset: stored.offset,
        }
    }
}

/// One record with its place.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    pub(crate) record: Arc<AuditRecord>,
}

/// Up to so many records. Where there are more, the oldest of the account that
/// has most goes: nobody drives out what others have done.
#[derive(Debug)]
pub(super) struct Entries {
    most: usize,
    all: BTreeMap<Place, Arc<AuditRecord>>,
    of: HashMap<Owner, BTreeSet<Place>>,
    by_size: BTreeSet<(usize, Owner)>,
}

/// `None` has what spans accounts.
type Owner = Option<AccountId>;

impl Entries {
    pub(super) fn new(most: u32) -> Self {
        Self {
            most: usize::try_from(most).unwrap_or(usize::MAX),
            all: BTreeMap::new(),
            of: HashMap::new(),
            by_size: BTreeSet::new(),
        }
    }

    /// Takes in a record; one that is there already changes nothing.
    pub(super) fn insert(&mut self, place: Place, record: AuditRecord) {
        let owner = record.account.clone();
        if self.all.insert(place, Arc::new(record)).is_some() {
            return;
        }
        self.resize(owner, |places| {
            places.insert(place);
        });
        while self.all.len() > self.most {
            let Some((_, largest)) = self.by_size.last().cloned() else {
                return;
            };
            let mut oldest = None;
            self.resize(largest, |places| oldest = places.pop_first());
            if let Some(oldest) = oldest {
                self.all.remove(&oldest);
            }
        }
    }

    fn resize(&mut self, owner: Owner, change: impl FnOnce(&mut BTreeSet<Place>)) {
        let places = self.of.entry(owner.clone()).or_default();
        self.by_size.remove(&(places.len(), owner.clone()));
        change(places);
        if places.is_empty() {
            self.of.remove(&owner);
        } else {
            self.by_size.insert((places.len(), owner));
        }
    }

    /// See [`Audit::newest`](super::Audit::newest).
    pub(super) fn newest(
        &self,
        scope: &Scope,
        since: Option<Timestamp>,
        before: Option<Place>,
        limit: usize,
        keep: impl Fn(&AuditRecord) -> bool,
    ) -> Vec<Entry> {
        let range = (
            Bound::Unbounded,
            before.map_or(Bound::Unbounded, Bound::Excluded),
        );
        let entries = |places: &mut dyn Iterator<Item = Place>| {
            places
                .take_while(|place| since.is_none_or(|since| place.at >= since))
                .filter_map(|place| {
                    let record = self.all.get(&place).filter(|record| keep(record))?;
                    let record = Arc::clone(record);
                    Some(Entry { place, record })
                })
                .take(limit)
                .collect()
        };
        match scope {
            Scope::Every => entries(&mut self.all.range(range).rev().map(|(place, _)| *place)),
            Scope::Account(account) => match self.of.get(&Some(account.clone())) {
                Some(places) => entries(&mut places.range(range).rev().copied()),
                None => Vec::new(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::AuditAction;

    use super::*;

    fn record(account: &str, at: i64) -> AuditRecord {
        AuditRecord {
            at: Timestamp::from_millis(at),
            account: account.parse().ok(),
            token: "t".to_owned(),
            action: AuditAction::EndpointPaused,
            subject: format!("ep_{at}"),
            detail: None,
        }
    }

    fn put(entries: &mut Entries, account: &str, at: i64, offset: i64) {
        let record = record(account, at);
        let partition = 0;
        let place = Place::of(&record, Stored { partition, offset });
        entries.insert(place, record);
    }

    fn shown(
        entries: &Entries,
        scope: &Scope,
        since: Option<i64>,
        before: Option<Place>,
    ) -> Vec<i64> {
        let since = since.map(Timestamp::from_millis);
        let found = entries.newest(scope, since, before, 3, |_| true);
        found.iter().map(|entry| entry.record.at.millis()).collect()
    }

    #[test]
    fn the_newest_come_first_and_pages_go_on_behind_a_place() {
        let mut entries = Entries::new(100);
        // As partitions are read one after the other: not in the order of time.
        for (offset, at) in [(0, 40), (1, 20), (2, 50), (3, 10), (4, 30)] {
            put(&mut entries, "shop", at, offset);
        }
        put(&mut entries, "other", 45, 5);
        put(&mut entries, "shop", 50, 2);
        let shop = Scope::Account("shop".parse().unwrap());
        assert_eq!(shown(&entries, &shop, None, None), [50, 40, 30]);
        assert_eq!(shown(&entries, &Scope::Every, None, None), [50, 45, 40]);
        let third = entries.newest(&shop, None, None, 3, |_| true)[2].place;
        assert_eq!(shown(&entries, &shop, None, Some(third)), [20, 10]);
        assert_eq!(shown(&entries, &shop, Some(20), Some(third)), [20]);
        assert!(shown(&entries, &shop, Some(60), Some(third)).is_empty());
        let nobody = Scope::Account("nobody".parse().unwrap());
        assert!(shown(&entries, &nobody, None, None).is_empty());
    }

    #[test]
    fn what_spans_accounts_is_for_those_who_see_all() {
        let mut entries = Entries::new(100);
        put(&mut entries, "", 1, 0);
        assert_eq!(shown(&entries, &Scope::Every, None, None), [1]);
        let shop = Scope::Account("shop".parse().unwrap());
        assert!(shown(&entries, &shop, None, None).is_empty());
    }

    #[test]
    fn an_account_that_does_much_drives_out_its_own_only() {
        let mut entries = Entries::new(4);
        put(&mut entries, "quiet", 1, 0);
        for at in 2..100 {
            put(&mut entries, "busy", at, at);
        }
        let quiet = Scope::Account("quiet".parse().unwrap());
        assert_eq!(shown(&entries, &quiet, None, None), [1]);
        let busy = Scope::Account("busy".parse().unwrap());
        assert_eq!(shown(&entries, &busy, None, None), [99, 98, 97]);
        assert_eq!(entries.all.len(), 4);
    }
}
