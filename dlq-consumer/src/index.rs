//! The failed list's index: what is live on `webhooks.dead-letter`, in a SQLite
//! file that may be deleted at any time. The topic is the truth.
//!
//! Rows and the offset to be read next are written in one transaction, so the
//! file is always the list as it was at some offset.

mod conditions;
mod query;
mod row;
mod schema;
mod select;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex};

pub(crate) use conditions::Scope;
pub(crate) use index::{Identity, IndexError, Lock, WhyNew};
pub(crate) use query::{Count, Page, Part, Reader, Sorted};
pub(crate) use writer::{Change, Summary, Writer};

/// The open index.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    /// The one writer: the topic's reader, and who notes that the end was read.
    pub(crate) writer: Arc<Mutex<Writer>>,
    /// Any number of readers.
    pub(crate) reader: Reader,
    /// Where the topic is read from.
    pub(crate) next_offset: i64,
    /// Why the file was made anew; `None` where it goes on.
    pub(crate) why_new: Option<WhyNew>,
}

impl Index {
    /// Opens the file, or makes it anew where it is missing, broken, of
    /// another topic, or too old. Blocks.
    pub(crate) fn open(path: &Path, identity: &Identity) -> Result<Self, IndexError> {
        let (writer, why_new) = Writer::open(path, identity)?;
        Ok(Self {
            next_offset: writer.next_offset(),
            reader: Reader::new(path),
            writer: Arc::new(Mutex::new(writer)),
            why_new,
        })
    }

    /// Removes a file that cannot be used any more, so that the next start
    /// makes it anew.
    pub(crate) fn remove(path: &Path) -> Result<(), IndexError> {
        index::remove(path)
    }
}
