//! One change after the other: whoever changes an endpoint here waits for the
//! one before to be read back, and so never rewrites an old version.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::{Mutex, MutexGuard};

/// Changes of different endpoints share a turn once in so many.
const TURNS: usize = 256;

#[derive(Debug)]
pub(super) struct Turns(Vec<Mutex<()>>);

impl Turns {
    pub(super) fn new() -> Self {
        Self((0..TURNS).map(|_| Mutex::new(())).collect())
    }

    /// Waits until no other change of `what` is under way. Take one at a time:
    /// two might be the same.
    pub(super) async fn of(&self, what: impl Hash) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % (TURNS as u64)).unwrap_or_default();
        self.0[index].lock().await
    }
}
