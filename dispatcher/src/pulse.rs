//! Notices when the process stood still. One that stood longer than its
//! session has lost its partitions without being told, and must not send or
//! write for them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// How often the pulse beats.
const BEAT: Duration = Duration::from_millis(500);
/// A gap this long counts as lost. The session ends 6 s after the last
/// heartbeat, which may have gone out 1 s before the process stood still; one
/// second more is kept for what was begun just before.
pub(crate) const LONGEST_GAP: Duration = Duration::from_secs(4);

#[derive(Debug)]
struct Beats {
    start: Instant,
    last_ms: AtomicU64,
    lost: AtomicBool,
}

impl Beats {
    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.duration_since(self.start).as_millis()).unwrap_or(u64::MAX)
    }

    fn gap(&self, now: Instant) -> Duration {
        let last = self.last_ms.load(Ordering::Acquire);
        Duration::from_millis(self.millis(now).saturating_sub(last))
    }

    fn beat(&self, now: Instant) {
        if self.gap(now) > LONGEST_GAP {
            self.lost.store(true, Ordering::Release);
        }
        self.last_ms.store(self.millis(now), Ordering::Release);
    }
}

/// A thread that beats, and what the others may ask of it. The clock is the
/// monotonic one, which goes on while a process is stopped.
#[derive(Debug)]
pub(crate) struct Pulse {
    beats: Arc<Beats>,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Pulse {
    pub(crate) fn start() -> std::io::Result<Self> {
        let beats = Arc::new(Beats {
            start: Instant::now(),
            last_ms: AtomicU64::new(0),
            lost: AtomicBool::new(false),
        });
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new().name("pulse".into()).spawn({
            let beats = Arc::clone(&beats);
            move || {
                while stopped.recv_timeout(BEAT) == Err(mpsc::RecvTimeoutError::Timeout) {
                    beats.beat(Instant::now());
                }
            }
        })?;
        Ok(Self {
            beats,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Whether the process has not stood still since the last
    /// [`Pulse::restore`], up to this moment, which was read just now.
    pub(crate) fn is_steady(&self, now: Instant) -> bool {
        !self.beats.lost.load(Ordering::Acquire) && self.beats.gap(now) <= LONGEST_GAP
    }

    /// Every assignment from before the gap has been given up.
    pub(crate) fn restore(&self) {
        let now = self.beats.millis(Instant::now());
        self.beats.last_ms.store(now, Ordering::Release);
        self.beats.lost.store(false, Ordering::Release);
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the pulse thread panicked");
        }
    }
}
