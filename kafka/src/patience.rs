//! How long to wait for a broker that is not there (yet): the one place.

use std::{
    collections::VecDeque,
    fmt::Display,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A line that says the same is logged again after this time.
const REPEAT: Duration = Duration::from_secs(30);

/// Waiting until something works: short pauses first, longer ones later, one
/// log line in a while.
#[derive(Debug)]
pub(crate) struct Patience {
    pause: Duration,
    said: OnceInAWhile,
}

/// Shutdown came while waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

impl Patience {
    pub(crate) fn new() -> Self {
        Self {
            pause: FIRST_PAUSE,
            said: OnceInAWhile::default(),
        }
    }

    /// Waits before the next try of `what` (it reads "waiting for Kafka to
    /// ..."), which failed with `error`.
    pub(crate) async fn pause(
        &mut self,
        what: &str,
        error: &impl Display,
        shutdown: &CancellationToken,
    ) -> Result<(), Stopped> {
        let pause = self.next_pause(what, error);
        wait(pause, shutdown).await
    }

    /// Waits before asking again for what is on its way.
    pub(crate) async fn pause_quietly(
        &mut self,
        shutdown: &CancellationToken,
    ) -> Result<(), Stopped> {
        let pause = self.longer();
        wait(pause, shutdown).await
    }

    /// The same for a thread, which waits in its own way.
    pub(crate) fn next_pause(&mut self, what: &str, error: &impl Display) -> Duration {
        if self.said.may_say(&error.to_string()) {
            tracing::warn!(%error, "waiting for Kafka to {what}");
        }
        self.longer()
    }

    fn longer(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

async fn wait(pause: Duration, shutdown: &CancellationToken) -> Result<(), Stopped> {
    tokio::select! {
        () = shutdown.cancelled() => Err(Stopped),
        () = tokio::time::sleep(pause) => Ok(()),
    }
}

/// Keeps lines that say the same over and over to one in a while.
#[derive(Debug, Default)]
pub(crate) struct OnceInAWhile {
    recent: VecDeque<(String, Instant)>,
}

impl OnceInAWhile {
    /// Different lines that are remembered: two or three take turns at most.
    const LINES: usize = 8;

    /// Whether `line` is new or was last said a while ago.
    pub(crate) fn may_say(&mut self, line: &str) -> bool {
        self.recent.retain(|(_, at)| at.elapsed() < REPEAT);
        if self.recent.iter().any(|(said, _)| said == line) {
            return false;
        }
        self.recent.truncate(Self::LINES - 1);
        self.recent.push_front((line.to_owned(), Instant::now()));
        true
    }
}
