//! Which records of one partition are complete. Work finishes in any order;
//! the committed offset is the lowest that is not complete.

use std::collections::VecDeque;

use super::metadata::{decode, encode};

/// What to commit for a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The lowest offset that is not complete.
    pub offset: i64,
    /// What is complete beyond it; empty when nothing is, or when it does not
    /// fit (a restart then repeats it).
    pub metadata: String,
}

/// What a record that was read is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// To be worked on.
    New,
    /// Complete since before the last restart, or read before: passed over.
    Known,
    /// To be worked on, but `missed` offsets before it were not there to be
    /// read: control records of a transaction, or records that retention took.
    AfterGap {
        /// How many.
        missed: i64,
    },
    /// To be worked on, below everything that was read: the topic begins anew.
    Restarted,
}

/// The offsets of one partition, from the lowest incomplete one on.
#[derive(Debug, Default)]
pub struct Tracker {
    /// The lowest offset that is not complete; `None` until the first record
    /// of a partition without a committed offset.
    base: Option<i64>,
    /// Complete or not, from `base` on: what was read, and behind that what the
    /// commit metadata said.
    complete: VecDeque<bool>,
    /// How many of `complete` were read.
    read: usize,
    /// How many of those are not complete.
    open: usize,
    /// Whether something changed since the last commit.
    changed: bool,
}

/// As many offsets fit a bitmap of one commit in any pattern.
const ALWAYS_FITS: usize = 24_000;
/// Beyond that run lengths must fit: each incomplete record costs a byte and
/// that of the complete run before it at most three, of the 3 070 there are.
const OPEN_FITS: usize = 750;

impl Tracker {
    /// Starts from what was committed: an offset and its metadata, or nothing.
    /// Metadata that is not ours counts as none.
    #[must_use]
    pub fn resume(committed: Option<(i64, &str)>) -> Self {
        let Some((offset, metadata)) = committed else {
            return Self::default();
        };
        Self {
            base: Some(offset),
            complete: decode(metadata).unwrap_or_default().into(),
            ..Self::default()
        }
    }

    /// Takes note of a record that was read.
    pub fn begin(&mut self, offset: i64) -> Begun {
        let base = *self.base.get_or_insert(offset);
        let Ok(index) = usize::try_from(offset - base) else {
            self.begin_anew(offset);
            return Begun::Restarted;
        };
        if index < self.read {
            return Begun::Known;
        }
        if self.read == 0 && index >= self.complete.len() {
            // Nothing is held: a gap, however wide, is stepped over at once.
            let known = self.complete.iter().filter(|complete| **complete).count();
            let missed = i64::try_from(index - known).unwrap_or(i64::MAX);
            self.begin_anew(offset);
            return match missed {
                0 => Begun::New,
                _ => Begun::AfterGap { missed },
            };
        }
        if self.complete.len() <= index {
            self.complete.resize(index + 1, false);
        }
        let missed = index - self.read;
        let mut unknown = 0;
        for complete in self.complete.range_mut(self.read..index) {
            unknown += i64::from(!*complete);
            *complete = true;
        }
        self.read = index + 1;
        let known = self.complete[index];
        self.open += usize::from(!known);
        if known || missed > 0 {
            self.advance();
        }
        if known {
            Begun::Known
        } else if unknown > 0 {
            Begun::AfterGap { missed: unknown }
        } else {
            Begun::New
        }
    }

    /// Takes note that a record is complete. Offsets that were never begun or
    /// are complete already change nothing.
    pub fn complete(&mut self, offset: i64) {
        let Some(index) = self
            .base
            .and_then(|base| usize::try_from(offset - base).ok())
            .filter(|index| *index < self.read)
        else {
            return;
        };
        if !std::mem::replace(&mut self.complete[index], true) {
            self.open -= 1;
        }
        self.changed = true;
        if index == 0 {
            self.advance();
        }
    }

    fn advance(&mut self) {
        let mut passed = 0;
        while self.read > 0 && self.complete.front() == Some(&true) {
            self.complete.pop_front();
            self.read -= 1;
            passed += 1;
        }
        if passed > 0 {
            self.base = self.base.map(|base| base + passed);
            self.changed = true;
        }
    }

    /// Holds this record alone.
    fn begin_anew(&mut self, offset: i64) {
        *self = Self {
            base: Some(offset),
            complete: [false].into(),
            read: 1,
            open: 1,
            changed: true,
        };
    }

    /// Whether one more record may be read: whether what is complete beyond the
    /// lowest incomplete one is sure to fit the commit metadata, also when
    /// records complete in the worst order.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.read < ALWAYS_FITS || self.open < OPEN_FITS
    }

    /// What to commit, if anything changed since the last call.
    pub fn commit(&mut self) -> Option<Commit> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        self.base.map(|offset| Commit {
            offset,
            metadata: encode(self.complete.iter().copied()).unwrap_or_default(),
        })
    }

    /// Makes the next [`Tracker::commit`] give the current state again, after a
    /// commit that the broker refused.
    pub fn commit_again(&mut self) {
        self.changed = true;
    }

    /// How many records were read and are not complete, or wait behind one.
    #[must_use]
    pub fn window(&self) -> usize {
        self.read
    }
}
