//! Reading the index, beside its writer.

use std::collections::HashSet;
use std::path::Path;

use domain::FailedFilter;

use super::conditions::Scope;
use super::{IndexError, select};
use crate::letter::Letter;

/// The order of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sorted {
    OldestFirst,
    NewestFirst,
}

/// Which part of what matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) sorted: Sorted,
    /// At this offset and later.
    pub(crate) from: i64,
    /// Before this offset.
    pub(crate) until: i64,
    /// So many entries at most.
    pub(crate) limit: usize,
    /// It ends before its payloads are longer than this together, but has one
    /// entry at least.
    pub(crate) bytes: usize,
}

/// A part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) letters: Vec<Letter>,
    /// Where the next page begins (`from`), or with the newest first, where it
    /// ends (`until`). When there was no more, oldest first: at the end of what
    /// was read of the topic.
    pub(crate) next: i64,
    /// Whether more matched in the part than there was room for.
    pub(crate) more: bool,
}

/// How much matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) entries: u64,
    /// Those of them that are poison.
    pub(crate) poison: u64,
    /// The offset after everything that was counted.
    pub(crate) end: i64,
}

/// Reads the index; clones share their connections.
#[derive(Debug, Clone)]
pub(crate) struct Reader(index::Reader);

impl Reader {
    pub(super) fn new(path: &Path) -> Self {
        Self(index::Reader::new(path))
    }

    /// The entries of a part, as the list is now.
    pub(crate) async fn page(
        &self,
        scope: Scope,
        filter: FailedFilter,
        part: Part,
    ) -> Result<Page, IndexError> {
        self.0
            .run(move |connection| select::page(connection, &scope, &filter, part))
            .await
    }

    /// How many entries match.
    pub(crate) async fn count(
        &self,
        scope: Scope,
        filter: FailedFilter,
    ) -> Result<Count, IndexError> {
        self.0
            .run(move |connection| select::count(connection, &scope, &filter))
            .await
    }

    /// Those of these offsets at which a live entry stands.
    pub(crate) async fn live(&self, offsets: Vec<i64>) -> Result<HashSet<i64>, IndexError> {
        self.0
            .run(move |connection| select::live(connection, &offsets))
            .await
    }

    /// The live entry with this id.
    pub(crate) async fn find(
        &self,
        scope: Scope,
        id: String,
    ) -> Result<Option<Letter>, IndexError> {
        self.0
            .run(move |connection| select::find(connection, &scope, id))
            .await
    }
}
