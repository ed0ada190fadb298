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

    /// # Errors
    /// What is missing: each condition that does not hold, and the reason of [`Self::fail`].
    pub fn ready(&self) -> Result<(), Vec<String>> {
        let failed = self.shared.fatal.get().cloned();
        let missing: Vec<String> = failed
            .into_iter()
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
