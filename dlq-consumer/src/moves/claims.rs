//! Who moves which entry right now.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// The ids of entries that are being moved.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims {
    ids: Arc<Mutex<HashSet<String>>>,
    released: Arc<Notify>,
}

/// Ids, claimed until this is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    ids: Vec<String>,
    of: Claims,
}

impl Claims {
    /// Claims all of these ids, which must differ; `None` when somebody has
    /// one of them.
    pub(crate) fn take(&self, ids: Vec<String>) -> Option<Claim> {
        let mut taken = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.iter().any(|id| taken.contains(id)) {
            return None;
        }
        taken.extend(ids.iter().cloned());
        Some(Claim {
            ids,
            of: self.clone(),
        })
    }

    /// The same, waiting for as long as somebody has one of them. They may
    /// have left the list by then.
    pub(crate) async fn wait_for(&self, ids: Vec<String>) -> Claim {
        loop {
            let mut released = std::pin::pin!(self.released.notified());
            // Before the look, so that no release between both is missed.
            released.as_mut().enable();
            if let Some(claim) = self.take(ids.clone()) {
                return claim;
            }
            released.await;
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut taken = self.of.ids.lock().unwrap_or_else(PoisonError::into_inner);
        for id in &self.ids {
            taken.remove(id);
        }
        drop(taken);
        self.of.released.notify_waiters();
    }
}
