//! What `/readyz` and `/livez` answer from: named conditions and a fatal reason.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The health of one process. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Health {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    conditions: Mutex<Vec<Condition>>,
    fatal: OnceLock<String>,
    leaving: AtomicBool,
}

/// One thing that must hold for the process to be ready. Not held at first.
#[derive(Clone, Debug)]
pub struct Condition {
    name: Arc<str>,
    holds: Arc<AtomicBool>,
}

impl Condition {
    /// Says whether the condition holds now.
    pub fn set(&self, holds: bool) {
        self.holds.store(holds, Ordering::Release);
    }
}

impl Health {
    /// Ready and live, as long as no condition is added and nothing fails.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition, named as what must be so: "endpoint table loaded".
    /// Once a process part; conditions are never removed.
    #[must_use]
    pub fn condition(&self, name: &str) -> Condition {
        let condition = Condition {
            name: name.into(),
            holds: Arc::default(),
        };
        self.conditions().push(condition.clone());
        condition
    }

    /// The process cannot go on and should be started anew. The first reason stays.
    pub fn fail(&self, reason: impl Into<String>) {
        if self.shared.fatal.set(reason.into()).is_ok() {
            tracing::error!(
                reason = self.shared.fatal.get(),
                "the process is no longer live"
            );
        }
    }

    /// The process was asked to stop: it is live, and not ready from now on.
    pub fn leave(&self) {
        self.shared.leaving.store(true, Ordering::Release);
    }

    /// Whether the process was asked to stop.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.shared.leaving.load(Ordering::Acquire)
    }

    /// # Errors
    /// What is missing: each condition that does not hold, the reason of [`Self::fail`], and
    /// that it is to stop.
    pub fn ready(&self) -> Result<(), Vec<String>> {
        let failed = self.shared.fatal.get().cloned();
        let leaving = self.is_leaving().then(|| "not asked to stop".to_owned());
        let missing: Vec<String> = failed
            .into_iter()
            .chain(leaving)
            .chain(
                self.conditions()
                    .iter()
                    .filter(|condition| !condition.holds.load(Ordering::Acquire))
                    .map(|condition| condition.name.to_string()),
            )
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(missing)
        }
    }

    /// # Errors
    /// The reason given to [`Self::fail`].
    pub fn live(&self) -> Result<(), String> {
        self.shared.fatal.get().cloned().map_or(Ok(()), Err)
    }

    fn conditions(&self) -> std::sync::MutexGuard<'_, Vec<Condition>> {
        // A list of flags is whole after every push: a poisoned lock harms nothing.
        self.shared
            .conditions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
