//! Who wants to know that something has changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::AccountId;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Scope;

/// Changes that come closer together are told as one.
const APART: Duration = Duration::from_millis(500);

/// Numbers changes, and remembers the last one of each account.
#[derive(Debug, Default)]
pub(super) struct Feed {
    wake: watch::Sender<()>,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    /// The last change of all.
    revision: u64,
    /// The last one that concerned everybody.
    everybody: u64,
    accounts: HashMap<AccountId, u64>,
}

impl Feed {
    /// Something changed for these accounts.
    pub(super) fn tell(&self, accounts: impl IntoIterator<Item = AccountId>) {
        let mut last = self.lock();
        last.revision += 1;
        let revision = last.revision;
        let accounts = accounts.into_iter().map(|account| (account, revision));
        last.accounts.extend(accounts);
        drop(last);
        self.wake.send_replace(());
    }

    /// Something changed for everybody.
    pub(super) fn tell_everybody(&self) {
        let mut last = self.lock();
        last.revision += 1;
        last.everybody = last.revision;
        last.accounts.clear();
        drop(last);
        self.wake.send_replace(());
    }

    /// The last change that `scope` can see.
    fn last_of(&self, scope: &Scope) -> u64 {
        let last = self.lock();
        match scope {
            Scope::All => last.revision,
            Scope::Account(account) => {
                let own = last.accounts.get(account).copied().unwrap_or(0);
                own.max(last.everybody)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells when something has changed that its scope can see: for pages that are
/// kept up to date.
#[derive(Debug)]
pub struct Changes {
    feed: Arc<Feed>,
    wake: watch::Receiver<()>,
    scope: Scope,
    seen: u64,
    /// When the next change may be told.
    free_at: Instant,
}

impl Changes {
    pub(super) fn new(feed: &Arc<Feed>, scope: Scope) -> Self {
        Self {
            wake: feed.wake.subscribe(),
            seen: feed.last_of(&scope),
            feed: Arc::clone(feed),
            scope,
            free_at: Instant::now(),
        }
    }

    /// The number of the last change that was told, or that was before all.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.seen
    }

    /// Waits for the next change, and gives a number that grows with each: at
    /// once where there was one since the last call, but at most twice a
    /// second. May be dropped at any time.
    pub async fn next(&mut self) -> u64 {
        tokio::time::sleep_until(self.free_at).await;
        loop {
            self.wake.mark_unchanged();
            let last = self.feed.last_of(&self.scope);
            if last > self.seen {
                self.seen = last;
                self.free_at = Instant::now() + APART;
                return last;
            }
            if self.wake.changed().await.is_err() {
                // The feed lives as long as this does.
                std::future::pending().await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str) -> AccountId {
        name.parse().unwrap()
    }

    async fn is_quiet(changes: &mut Changes) -> bool {
        let moment = Duration::from_millis(1);
        tokio::time::timeout(moment, changes.next()).await.is_err()
    }

    #[tokio::test]
    async fn an_account_hears_of_its_own_changes_and_an_operator_of_all() {
        let feed = Arc::new(Feed::default());
        let mut shop = Changes::new(&feed, Scope::Account(account("shop")));
        let mut all = Changes::new(&feed, Scope::All);
        assert!(is_quiet(&mut shop).await);
        feed.tell([account("other")]);
        assert_eq!(all.next().await, 1);
        assert!(is_quiet(&mut shop).await);
        feed.tell([account("shop")]);
        assert_eq!(shop.next().await, 2);
        assert_eq!(all.next().await, 2);
        feed.tell_everybody();
        assert_eq!(shop.next().await, 3);
    }

    #[tokio::test]
    async fn many_changes_at_once_are_told_as_one() {
        let feed = Arc::new(Feed::default());
        let mut changes = Changes::new(&feed, Scope::All);
        feed.tell([account("shop")]);
        let first = Instant::now();
        assert_eq!(changes.next().await, 1);
        for _ in 0..100 {
            feed.tell([account("shop")]);
        }
        assert_eq!(changes.next().await, 101);
        assert!(first.elapsed() >= APART);
        assert!(is_quiet(&mut changes).await);
    }
}
