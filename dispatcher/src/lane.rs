//! One lane a partition: what was read of it, and how far it is complete.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use domain::{Tier, record::Coordinates};
use tokio::sync::Notify;

use crate::{
    offsets::{Begun, Commit, Tracker},
    repeated::Seen,
};

/// How a lane is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaneKind {
    /// Events, to be fanned out.
    Source,
    /// A retry topic: records become due in order.
    Delay(Tier),
    /// `webhooks.ready` and `webhooks.resend`: at the endpoints' pace.
    Paced,
}

/// How much a lane may hold in memory at once.
struct LookAhead {
    records: usize,
    bytes: usize,
}

impl LaneKind {
    const fn look_ahead(self) -> LookAhead {
        match self {
            Self::Source | Self::Delay(_) => LookAhead {
                records: 24_000,
                bytes: 16 * 1024 * 1024,
            },
            Self::Paced => LookAhead {
                records: 4_096,
                bytes: 8 * 1024 * 1024,
            },
        }
    }
}

/// A partition, from its assignment to its revocation. A new assignment makes
/// a new lane: that is the epoch of all work that holds on to it.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) kind: LaneKind,
    topic: Arc<str>,
    partition: i32,
    tracker: RefCell<Tracker>,
    held: Cell<usize>,
    held_bytes: Cell<usize>,
    ours: Cell<bool>,
    /// Counts how often the partition began anew: what was read before that
    /// completes nothing after it.
    generation: Cell<u32>,
    /// Nothing more is to be begun.
    stopped: Cell<bool>,
    /// Told when that is so.
    stop: Notify,
    /// Something that was held has been let go.
    released: Notify,
    /// When the oldest incomplete record was written, in ms since 1970.
    oldest: Cell<Option<i64>>,
    /// The endpoint table was read since the records below this offset were written.
    pub(crate) older_than_table: Cell<i64>,
}

impl Lane {
    pub(crate) fn new(
        kind: LaneKind,
        topic: &str,
        partition: i32,
        committed: Option<(i64, &str)>,
    ) -> Rc<Self> {
        Rc::new(Self {
            kind,
            topic: topic.into(),
            partition,
            tracker: RefCell::new(Tracker::resume(committed)),
            held: Cell::new(0),
            held_bytes: Cell::new(0),
            ours: Cell::new(true),
            generation: Cell::new(0),
            stopped: Cell::new(false),
            stop: Notify::new(),
            released: Notify::new(),
            oldest: Cell::new(None),
            older_than_table: Cell::new(0),
        })
    }

    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    pub(crate) fn partition(&self) -> i32 {
        self.partition
    }

    pub(crate) fn coordinates(&self, offset: i64) -> Coordinates {
        Coordinates {
            topic: Arc::clone(&self.topic),
            partition: self.partition,
            offset,
        }
    }

    /// Where one of its records stands.
    pub(crate) fn seen(&self, offset: i64) -> Seen {
        Seen {
            topic: Arc::clone(&self.topic),
            partition: self.partition,
            offset,
        }
    }

    /// Takes note of a record that was read; `written_at` in ms since 1970.
    pub(crate) fn begin(&self, offset: i64, written_at: Option<i64>) -> Begun {
        let mut tracker = self.tracker.borrow_mut();
        if tracker.window() == 0 {
            self.oldest.set(written_at);
        }
        let begun = tracker.begin(offset);
        if begun == Begun::Restarted {
            self.generation.set(self.generation.get() + 1);
            self.older_than_table.set(0);
        }
        begun
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation.get()
    }

    pub(crate) fn complete(&self, offset: i64, generation: u32) {
        if self.is_ours() && self.generation.get() == generation {
            self.tracker.borrow_mut().complete(offset);
        }
    }

    /// What to commit, if anything changed.
    pub(crate) fn commit(&self) -> Option<Commit> {
        self.tracker.borrow_mut().commit()
    }

    pub(crate) fn commit_again(&self) {
        self.tracker.borrow_mut().commit_again();
    }

    pub(crate) fn took(&self, bytes: usize) {
        self.held.set(self.held.get() + 1);
        self.held_bytes.set(self.held_bytes.get() + bytes);
    }

    pub(crate) fn released(&self, bytes: usize) {
        self.held.set(self.held.get() - 1);
        self.held_bytes.set(self.held_bytes.get() - bytes);
        self.released.notify_waiters();
    }

    /// How many records are held.
    pub(crate) fn held(&self) -> usize {
        self.held.get()
    }

    /// Since when the lane has incomplete records: an upper bound on the age of
    /// the oldest, in ms since 1970.
    pub(crate) fn oldest(&self) -> Option<i64> {
        (self.tracker.borrow().window() > 0)
            .then(|| self.oldest.get())
            .flatten()
    }

    /// Waits until one more record may be read. False when none may any more.
    pub(crate) async fn room(&self) -> bool {
        loop {
            if self.stopped.get() {
                return false;
            }
            let limit = self.kind.look_ahead();
            if self.held.get() < limit.records
                && self.held_bytes.get() < limit.bytes
                && self.tracker.borrow().has_room()
            {
                return true;
            }
            tokio::select! {
                () = self.stopped() => {}
                () = self.released.notified() => {}
            }
        }
    }

    /// Waits until nothing that was read is held any more, `limit` at most.
    /// Whether that is so.
    pub(crate) async fn drained(&self, limit: Duration) -> bool {
        let empty = async {
            while self.held.get() > 0 {
                self.released.notified().await;
            }
        };
        tokio::time::timeout(limit, empty).await.is_ok()
    }

    /// Begins nothing more; what is in flight goes on.
    pub(crate) fn stop(&self) {
        self.stopped.set(true);
        self.stop.notify_waiters();
    }

    /// The partition is lost, or given up: nothing of it is ours to do any more.
    pub(crate) fn abandon(&self) {
        self.ours.set(false);
        self.stop();
    }

    pub(crate) async fn stopped(&self) {
        // All on one thread: nothing stops it between the look and the wait.
        while !self.stopped.get() {
            self.stop.notified().await;
        }
    }

    pub(crate) fn is_read(&self) -> bool {
        !self.stopped.get()
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.ours.get()
    }
}
