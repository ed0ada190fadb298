//! The queries.

use std::collections::HashSet;

use domain::FailedFilter;
use rusqlite::{Connection, OptionalExtension as _};

use super::conditions::{Conditions, Scope, json_list};
use super::query::{Count, Page, Part, Sorted};
use super::row;
use crate::letter::Letter;

pub(super) fn page(
    connection: &mut Connection,
    scope: &Scope,
    filter: &FailedFilter,
    part: Part,
) -> rusqlite::Result<Page> {
    // One snapshot: nothing before `end` can appear in a later page.
    let snapshot = connection.transaction()?;
    let end = next_offset(&snapshot)?;
    let mut conditions = Conditions::of(scope, filter);
    conditions.add("f.log_offset >= ?", part.from);
    conditions.add("f.log_offset < ?", part.until);
    let sql = format!(
        "SELECT {} FROM {} WHERE {} ORDER BY f.log_offset {} LIMIT {}",
        row::COLUMNS,
        row::FROM,
        conditions.sql(),
        match part.sorted {
            Sorted::OldestFirst => "ASC",
            Sorted::NewestFirst => "DESC",
        },
        part.limit
    );
    let mut letters: Vec<Letter> = Vec::new();
    let mut bytes = 0;
    let mut full = false;
    let mut statement = snapshot.prepare_cached(&sql)?;
    for letter in statement.query_map(conditions.values(), row::read)? {
        let letter = letter?;
        bytes += letter.value.len();
        if bytes > part.bytes && !letters.is_empty() {
            full = true;
            break;
        }
        letters.push(letter);
    }
    let more = full || letters.len() == part.limit;
    let next = match (letters.last(), part.sorted) {
        (Some(last), Sorted::OldestFirst) if more => last.offset + 1,
        (Some(last), Sorted::NewestFirst) if more => last.offset,
        (_, Sorted::OldestFirst) => end.max(part.from),
        (_, Sorted::NewestFirst) => part.from,
    };
    Ok(Page {
        letters,
        next,
        more,
    })
}

pub(super) fn count(
    connection: &mut Connection,
    scope: &Scope,
    filter: &FailedFilter,
) -> rusqlite::Result<Count> {
    let snapshot = connection.transaction()?;
    let end = next_offset(&snapshot)?;
    let conditions = Conditions::of(scope, filter);
    let sql = format!(
        "SELECT count(*), coalesce(sum(f.poison), 0) FROM failures f WHERE {}",
        conditions.sql()
    );
    snapshot
        .prepare_cached(&sql)?
        .query_row(conditions.values(), |row| {
            let number = |number: i64| u64::try_from(number).unwrap_or_default();
            Ok(Count {
                entries: number(row.get(0)?),
                poison: number(row.get(1)?),
                end,
            })
        })
}

pub(super) fn live(connection: &mut Connection, offsets: &[i64]) -> rusqlite::Result<HashSet<i64>> {
    connection
        .prepare_cached(
            "SELECT log_offset FROM failures \
             WHERE log_offset IN (SELECT value FROM json_each(?1))",
        )?
        .query_map([json_list(offsets)], |row| row.get(0))?
        .collect()
}

fn next_offset(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row(
        "SELECT coalesce(max(next_offset), 0) FROM positions",
        [],
        |row| row.get(0),
    )
}

pub(super) fn find(
    connection: &mut Connection,
    scope: &Scope,
    id: String,
) -> rusqlite::Result<Option<Letter>> {
    let mut conditions = Conditions::of(scope, &FailedFilter::default());
    conditions.add("f.id = ?", id);
    let sql = format!(
        "SELECT {} FROM {} WHERE {}",
        row::COLUMNS,
        row::FROM,
        conditions.sql()
    );
    connection
        .prepare_cached(&sql)?
        .query_row(conditions.values(), row::read)
        .optional()
}
