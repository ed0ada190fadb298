use std::path::{Path, PathBuf};

use crate::file;

/// Why the index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// SQLite says no: the disk is full, or the file is broken.
    #[error("the index {} cannot be used: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The file or its folder cannot be made or removed.
    #[error("the index {} cannot be used: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The end of the topic was not read for so long that records which
    /// changed what the index holds may be gone.
    #[error("the index {} is too old to go on with: the next start makes it anew", .0.display())]
    TooOld(PathBuf),
}

impl IndexError {
    pub(crate) fn sqlite(path: &Path, source: rusqlite::Error) -> Self {
        Self::Sqlite {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            source,
        }
    }

    /// Whether the file is broken, so that only a new one helps.
    #[must_use]
    pub fn is_broken_file(&self) -> bool {
        match self {
            Self::Sqlite { source, .. } => file::is_broken(source),
            Self::File { .. } | Self::TooOld(_) => false,
        }
    }
}
