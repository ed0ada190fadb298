//! The parameters of `GET /webhooks/failed`.

use std::collections::HashSet;
use std::fmt::Display;
use std::str::FromStr;

use axum::http::StatusCode;
use domain::{DeadLetterReason, EventKind, Timestamp};
use service::problem::{Problem, ProblemError};
use service::settings::Role;

use crate::index::Filter;
use crate::list::BeyondTheEnd;

/// Entries a page, where the caller does not say.
const DEFAULT_LIMIT: usize = 100;
/// Entries a page at most.
const MAX_LIMIT: usize = 500;

/// Mistakes that one answer tells.
const MAX_TOLD: usize = 20;

const FOR_ACCOUNTS: &str = "endpoint, event, reason, since, until, limit, cursor";
const FOR_OPERATORS: &str = "account, endpoint, event, reason, since, until, limit, cursor";
const A_CURSOR: &str = "the next_cursor of an earlier answer, or none to begin at the oldest";
const A_MOMENT: &str =
    "a time of RFC 3339 such as 2024-06-15T14:32:00Z (in a URL, + is written %2B)";

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListQuery {
    pub(super) filter: Filter,
    /// The first offset to look at.
    pub(super) from: i64,
    pub(super) limit: usize,
}

/// Reads the parameters; all mistakes are told at once.
pub(super) fn read(parameters: &[(String, String)], role: Role) -> Result<ListQuery, Problem> {
    let mut query = ListQuery {
        filter: Filter::default(),
        from: 0,
        limit: DEFAULT_LIMIT,
    };
    let mut seen = HashSet::new();
    let mut mistakes = Vec::new();
    for (name, value) in parameters {
        let taken = if seen.insert(name.as_str()) {
            take(&mut query, name, value, role)
        } else {
            Err(ProblemError::new(name, "it is given more than once").allowed("one value"))
        };
        mistakes.extend(taken.err());
    }
    if let Filter {
        since: Some(since),
        until: Some(until),
        ..
    } = query.filter
        && since > until
    {
        let mistake = ProblemError::new("until", "it is before since");
        mistakes.push(mistake.found(until.to_string()).allowed("since or later"));
    }
    if mistakes.is_empty() {
        return Ok(query);
    }
    mistakes.truncate(MAX_TOLD);
    Err(refuse(mistakes))
}

fn take(query: &mut ListQuery, name: &str, value: &str, role: Role) -> Result<(), ProblemError> {
    let filter = &mut query.filter;
    match name {
        "account" if role == Role::Operator => filter.account = Some(parse(name, value)?),
        "endpoint" => filter.endpoint = Some(parse(name, value)?),
        "event" => {
            let names = || one_of(EventKind::ALL.map(EventKind::as_str));
            filter.event =
                Some(EventKind::parse(value).ok_or_else(|| wrong(name, value, names()))?);
        }
        "reason" => {
            let reasons = || one_of(DeadLetterReason::ALL.map(DeadLetterReason::as_str));
            let reason = DeadLetterReason::parse(value);
            filter.reason = Some(reason.ok_or_else(|| wrong(name, value, reasons()))?);
        }
        "since" => filter.since = Some(moment(name, value)?),
        "until" => filter.until = Some(moment(name, value)?),
        "limit" => {
            let limit = value.parse().ok();
            let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
            let allowed = || format!("a whole number from 1 to {MAX_LIMIT}");
            query.limit = limit.ok_or_else(|| wrong(name, value, allowed()))?;
        }
        "cursor" => {
            let from = value.parse().ok().filter(|from| *from >= 0);
            query.from = from.ok_or_else(|| wrong(name, value, A_CURSOR.to_owned()))?;
        }
        other => {
            let allowed = match role {
                Role::Operator => FOR_OPERATORS,
                Role::Account | Role::Ingest => FOR_ACCOUNTS,
            };
            return Err(ProblemError::new(other, "there is no such parameter").allowed(allowed));
        }
    }
    Ok(())
}

/// 422 for a cursor that this list cannot have given.
pub(super) fn beyond_the_end(found: BeyondTheEnd) -> Problem {
    let mistake = ProblemError::new(
        "cursor",
        "it is beyond the end of the list: the topic was made anew since then",
    );
    refuse(vec![mistake.found(found.0.to_string()).allowed(A_CURSOR)])
}

fn refuse(mistakes: Vec<ProblemError>) -> Problem {
    let names: Vec<&str> = mistakes.iter().map(|it| it.path.as_str()).collect();
    let detail = format!("these parameters are wrong: {}", names.join(", "));
    let problem = Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid-parameters",
        detail,
    );
    mistakes.into_iter().fold(problem, Problem::with_error)
}

fn parse<T: FromStr<Err: Display>>(name: &str, value: &str) -> Result<T, ProblemError> {
    value
        .parse()
        .map_err(|error: T::Err| ProblemError::new(name, error.to_string()).found(value))
}

fn moment(name: &str, value: &str) -> Result<Timestamp, ProblemError> {
    value
        .parse()
        .map_err(|_| wrong(name, value, A_MOMENT.to_owned()))
}

fn wrong(name: &str, value: &str, allowed: String) -> ProblemError {
    ProblemError::new(name, "the value is not allowed")
        .found(value)
        .allowed(allowed)
}

fn one_of<const N: usize>(words: [&str; N]) -> String {
    words.join(", ")
}
