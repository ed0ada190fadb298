//! A file that rows and positions are written to together.

#![expect(
    clippy::unwrap_used,
    reason = "helpers fail like the test that calls them"
)]

use std::path::PathBuf;
use std::time::Duration;

use index::{Identity, IndexError, Positions, Reader, Schema, Store, WhyNew};

const SCHEMA: Schema = Schema {
    tables: "CREATE TABLE words (word TEXT NOT NULL) STRICT;",
    max_age: Duration::from_secs(3600),
};

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("index-{}", domain::EventId::generate());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("words.sqlite")
    }

    fn open(&self) -> (Store, Option<WhyNew>) {
        let identity = Identity {
            topic: "words".to_owned(),
            cluster: "one".to_owned(),
        };
        Store::open(&self.file(), &SCHEMA, &identity).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn put(store: &mut Store, word: &str, next: &[(i32, i64)]) -> Result<(), IndexError> {
    let next: Positions = next.iter().copied().collect();
    store.write(&next, |transaction| {
        transaction.execute("INSERT INTO words VALUES (?1)", [word])?;
        // Refused after it was written.
        match word.len() {
            0..10 => Ok(()),
            _ => Err(rusqlite::Error::InvalidQuery),
        }
    })
}

fn words(store: &Store) -> i64 {
    let count = "SELECT count(*) FROM words";
    store
        .ask(|connection| connection.query_row(count, [], |row| row.get(0)))
        .unwrap()
}

#[test]
fn rows_and_positions_are_written_together_or_not_at_all() {
    let folder = Folder::new();
    let (mut store, why_new) = folder.open();
    assert_eq!(why_new, Some(WhyNew::Missing));
    put(&mut store, "one", &[(0, 1), (1, 5)]).unwrap();
    put(&mut store, "much too long", &[(0, 2)]).unwrap_err();
    assert_eq!(store.positions(), &[(0, 1), (1, 5)].into());
    assert_eq!(words(&store), 1);
    drop(store);

    let (mut store, why_new) = folder.open();
    assert_eq!(why_new, None);
    assert_eq!(store.positions(), &[(0, 1), (1, 5)].into());
    put(&mut store, "two", &[(0, 2)]).unwrap();
    assert_eq!(store.positions(), &[(0, 2), (1, 5)].into());
    assert_eq!(words(&store), 2);
}

#[test]
fn what_is_cleared_is_read_from_the_first_record() {
    let folder = Folder::new();
    let (mut store, _) = folder.open();
    put(&mut store, "one", &[(0, 1)]).unwrap();
    store
        .clear(|transaction| transaction.execute_batch("DELETE FROM words"))
        .unwrap();
    assert!(store.positions().is_empty());
    assert_eq!(words(&store), 0);
}

#[tokio::test]
async fn a_reader_sees_what_was_written_and_a_file_removed_beneath_it_is_made_anew() {
    let folder = Folder::new();
    let (mut store, _) = folder.open();
    put(&mut store, "one", &[(0, 1)]).unwrap();
    let reader = Reader::new(&folder.file());
    let word = reader
        .run(|connection| {
            connection.query_row("SELECT word FROM words", [], |row| row.get::<_, String>(0))
        })
        .await;
    assert_eq!(word.unwrap(), "one");

    // The reader closes last and cannot tidy: a log stays beside the file.
    drop(store);
    drop(reader);
    std::fs::remove_file(folder.file()).unwrap();
    let (store, why_new) = folder.open();
    assert_eq!(why_new, Some(WhyNew::Missing));
    assert_eq!(words(&store), 0);
}
