//! Pages of lists: how long they are, and where the next one goes on. Cursors
//! are opaque to clients.

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Timestamp;
use service::problem::{Problem, ProblemError};

use crate::audit;
use crate::endpoints::Place;

/// Items on a page that does not ask for a number, and at most.
const PAGE: usize = 50;
pub(super) const LONGEST_PAGE: usize = 200;

/// How many items a page has.
///
/// # Errors
/// 400 for a number that is not allowed.
pub(super) fn limit(asked: Option<usize>) -> Result<usize, Problem> {
    match asked.unwrap_or(PAGE) {
        limit @ 1..=LONGEST_PAGE => Ok(limit),
        limit => {
            let error = ProblemError::new("limit", format!("found {limit}"))
                .allowed(format!("1 to {LONGEST_PAGE}"));
            Err(parameter(error))
        }
    }
}

/// A page of what was found when one item more than it holds was asked for, and
/// the cursor behind its last one where others follow.
pub(crate) fn page<T>(
    mut found: Vec<T>,
    limit: usize,
    behind: impl Fn(&T) -> String,
) -> (Vec<T>, Option<String>) {
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(behind);
    (found, next)
}

/// The cursor behind a place. It stays good when the endpoint there is deleted.
pub(crate) fn behind(place: &Place) -> String {
    let Place {
        account,
        created_at,
        id,
    } = place;
    URL_SAFE_NO_PAD.encode(format!("{account}/{}/{id}", created_at.millis()))
}

/// The place of a cursor.
///
/// # Errors
/// 400 when it is none of ours.
pub(crate) fn read(cursor: &str) -> Result<Place, Problem> {
    parts(cursor, |parts| {
        Some(Place {
            account: parts.next()?.parse().ok()?,
            created_at: Timestamp::from_millis(parts.next()?.parse().ok()?),
            id: parts.next()?.parse().ok()?,
        })
    })
}

/// The cursor behind a record of the audit.
pub(crate) fn older(place: audit::Place) -> String {
    let audit::Place {
        at,
        partition,
        offset,
    } = place;
    URL_SAFE_NO_PAD.encode(format!("{}/{partition}/{offset}", at.millis()))
}

/// The place of a cursor in the audit.
///
/// # Errors
/// 400 when it is none of ours.
pub(crate) fn read_older(cursor: &str) -> Result<audit::Place, Problem> {
    parts(cursor, |parts| {
        Some(audit::Place {
            at: Timestamp::from_millis(parts.next()?.parse().ok()?),
            partition: parts.next()?.parse().ok()?,
            offset: parts.next()?.parse().ok()?,
        })
    })
}

fn parts<T>(
    cursor: &str,
    place: impl FnOnce(&mut std::str::Split<'_, char>) -> Option<T>,
) -> Result<T, Problem> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let mut parts = text.split('/');
        let place = place(&mut parts)?;
        parts.next().is_none().then_some(place)
    };
    read().ok_or_else(|| {
        parameter(
            ProblemError::new("cursor", "it is no cursor of this list")
                .allowed("next_cursor of a page before, unchanged"),
        )
    })
}

/// 400 for a wrong query parameter.
pub(super) fn parameter(error: ProblemError) -> Problem {
    let detail = "a parameter of the query is wrong";
    Problem::new(StatusCode::BAD_REQUEST, "invalid-parameter", detail).with_error(error)
}
