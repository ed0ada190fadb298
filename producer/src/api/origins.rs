//! The web origins of all ingest tokens: the shops' pages, whose scripts may
//! read the answers.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use serde::Deserialize;
use service::settings::{AuthSettings, SettingsError, load};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const WATCH_TIME: Duration = Duration::from_secs(2);

/// The origins in force. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Origins(Arc<ArcSwap<HashSet<String>>>);

impl Origins {
    pub(crate) fn new(auth: &AuthSettings) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(of(auth))))
    }

    pub(crate) fn allow(&self, origin: &str) -> bool {
        self.0.load().contains(origin)
    }

    /// Follows `[auth]` until `shutdown`, as the tokens do. What is wrong in it
    /// the tokens say.
    pub(crate) async fn watch(
        &self,
        defaults: &str,
        files: &[PathBuf],
        shutdown: CancellationToken,
    ) {
        let mut ticks = interval(WATCH_TIME);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = None;
        while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            let now: Vec<Option<(SystemTime, u64)>> = files.iter().map(stamp).collect();
            if seen.as_ref() == Some(&now) {
                continue;
            }
            if let Ok(auth) = read(defaults, files) {
                self.0.store(Arc::new(of(&auth)));
            }
            seen = Some(now);
        }
    }
}

fn of(auth: &AuthSettings) -> HashSet<String> {
    let origins = auth.tokens.iter().flat_map(|token| &token.origins);
    origins.cloned().collect()
}

fn stamp(file: &PathBuf) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read(defaults: &str, files: &[PathBuf]) -> Result<AuthSettings, SettingsError> {
    #[derive(Deserialize)]
    struct OnlyAuth {
        auth: AuthSettings,
    }
    let OnlyAuth { auth } = load(defaults, files)?;
    auth.check()?;
    Ok(auth)
}
