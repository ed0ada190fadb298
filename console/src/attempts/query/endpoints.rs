//! How endpoints do, for a list of them.

use std::collections::HashMap;

use domain::{EndpointId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{Scope, subjects};
use crate::attempts::endpoint_health::EndpointHealth;
use crate::attempts::step::Range;
use crate::attempts::tally::Counts;

/// Finding a row costs about as much as reading this many in a row.
const ROWS_A_SEARCH: usize = 8;

/// How an endpoint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointFigures {
    /// Which.
    pub endpoint: EndpointId,
    /// When the last attempt began.
    pub last_attempt: Option<Timestamp>,
    /// When the last attempt began that it took.
    pub last_success: Option<Timestamp>,
    /// When the first attempt began that failed after that one.
    pub failing_since: Option<Timestamp>,
    /// What happened in the range.
    pub counts: Counts,
    /// Deliveries that wait, for a retry or because they were deferred.
    pub waiting: u64,
}

impl EndpointFigures {
    fn nothing(endpoint: EndpointId) -> Self {
        Self {
            endpoint,
            last_attempt: None,
            last_success: None,
            failing_since: None,
            counts: Counts::default(),
            waiting: 0,
        }
    }
}

/// In the order in which they are asked for; endpoints that nothing is known
/// of, or that lie beyond the scope, have no figures.
pub(crate) fn endpoints(
    connection: &mut Connection,
    scope: &Scope,
    endpoints: &[EndpointId],
    range: Range,
    now: Timestamp,
) -> rusqlite::Result<Vec<EndpointFigures>> {
    let snapshot = connection.transaction()?;
    let mut all = Vec::with_capacity(endpoints.len());
    let mut places: HashMap<i64, usize> = HashMap::new();
    for endpoint in endpoints {
        let mut figures = EndpointFigures::nothing(*endpoint);
        for subject in subjects::of_endpoint(&snapshot, scope, *endpoint)? {
            places.insert(subject, all.len());
            add_subject(&snapshot, subject, &mut figures)?;
        }
        all.push(figures);
    }
    add_counts(&snapshot, &places, &mut all, range, now)?;
    Ok(all)
}

fn add_subject(
    connection: &Connection,
    subject: i64,
    figures: &mut EndpointFigures,
) -> rusqlite::Result<()> {
    let health = connection
        .prepare_cached(
            "SELECT last_attempt, last_success, last_failure, first_failures \
             FROM subjects WHERE id = ?1",
        )?
        .query_row([subject], health)?;
    let moment = |millis: Option<i64>| millis.map(Timestamp::from_millis);
    figures.last_attempt = figures.last_attempt.max(moment(health.last_attempt));
    figures.last_success = figures.last_success.max(moment(health.last_success));
    figures.failing_since = figures
        .failing_since
        .or_else(|| moment(health.failing_since()));
    let waiting: Option<i64> = connection
        .prepare_cached("SELECT sum(deliveries) FROM waiting WHERE endpoint = ?1")?
        .query_row([subject], |row| row.get(0))?;
    figures.waiting += u64::try_from(waiting.unwrap_or(0)).unwrap_or(0);
    Ok(())
}

fn health(row: &Row<'_>) -> rusqlite::Result<EndpointHealth> {
    Ok(EndpointHealth {
        last_attempt: row.get(0)?,
        last_success: row.get(1)?,
        last_failure: row.get(2)?,
        first_failures: EndpointHealth::failures_of_bytes(row.get_ref(3)?.as_blob()?),
    })
}

/// Adds the counts of the range, by `places`: the place in `all` of a subject.
fn add_counts(
    connection: &Connection,
    places: &HashMap<i64, usize>,
    all: &mut [EndpointFigures],
    range: Range,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let subjects: usize = connection
        .prepare_cached("SELECT coalesce(max(id), 0) FROM subjects")?
        .query_row([], |row| row.get::<_, i64>(0))
        .map(|most| usize::try_from(most).unwrap_or(0))?;
    if places.len() * ROWS_A_SEARCH < subjects {
        return search(connection, places, all, range, now);
    }
    let first = range.starts(now).next().unwrap_or_default();
    let mut rows = connection.prepare_cached(
        "SELECT subject, delivered, retry, dead_letter, dead_letter_without_attempt, deferred \
         FROM tallies WHERE step = ?1 AND start >= ?2 AND start <= ?3",
    )?;
    let mut rows = rows.query((range.code(), first, range.floor(now.millis())))?;
    while let Some(row) = rows.next()? {
        if let Some(place) = places.get(&row.get(0)?) {
            all[*place].counts.merge(&Counts::read(row, 1)?);
        }
    }
    Ok(())
}

fn search(
    connection: &Connection,
    places: &HashMap<i64, usize>,
    all: &mut [EndpointFigures],
    range: Range,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut read = connection.prepare_cached(
        "SELECT delivered, retry, dead_letter, dead_letter_without_attempt, deferred \
         FROM tallies WHERE step = ?1 AND start = ?2 AND subject = ?3",
    )?;
    for start in range.starts(now) {
        for (subject, place) in places {
            let found = read
                .query_row((range.code(), start, subject), |row| Counts::read(row, 0))
                .optional()?;
            all[*place].counts.merge(&found.unwrap_or_default());
        }
    }
    Ok(())
}
