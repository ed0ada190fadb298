//! The index as files: its folder, its lock, and its end.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use service::settings::SettingsError;

use crate::IndexError;

/// Only the owner: the index holds what customers wrote.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Holds the index for this process until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Makes the folder and takes the lock that stands beside the index, whose
    /// path is the setting `index.path`.
    ///
    /// # Errors
    /// That setting, when the folder or file cannot be made or another
    /// process holds it.
    pub fn take(path: &Path) -> Result<Self, SettingsError> {
        let refuse = |why: String| {
            SettingsError::new(
                "index.path",
                format!("{}, which {why}", path.display()),
                "a file for this process alone, in a folder that it may write to",
            )
        };
        if path.file_name().is_none() {
            return Err(refuse("names no file".to_owned()));
        }
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            DirBuilder::new()
                .recursive(true)
                .mode(FOLDER_MODE)
                .create(folder)
                .map_err(|error| refuse(format!("is in a folder that cannot be made: {error}")))?;
        }
        let file = make(&beside(path, ".lock"))
            .and_then(|lock| make(path).map(|_| lock))
            .map_err(|error| refuse(format!("cannot be written: {error}")))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(refuse("is in use by another process".to_owned()));
            }
            Err(TryLockError::Error(error)) => {
                return Err(refuse(format!("cannot be locked: {error}")));
            }
        }
        Ok(Self { _file: file })
    }
}

/// Opens a file to be written, made where it is missing.
pub(crate) fn make(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(FILE_MODE)
        .open(path)
}

/// Removes the index with what SQLite keeps beside it, so that the next start
/// makes it anew.
///
/// # Errors
/// When the system does not let it.
pub fn remove(path: &Path) -> Result<(), IndexError> {
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        match fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(IndexError::file(&file, error)),
        }
    }
    Ok(())
}

/// Whether SQLite means that the file is broken.
pub(crate) fn is_broken(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
