//! The parameters of the failed list, of what is made of it, and of jobs.

use std::collections::HashSet;
use std::fmt::Display;
use std::str::FromStr;

use axum::http::StatusCode;
use domain::{DeadLetterReason, EventKind, FailedFilter, JobId, NotAFilter, Timestamp};
use service::problem::{Problem, ProblemError};
use service::settings::Role;

use crate::index::{Part, Sorted};
use crate::list::BeyondTheEnd;

/// Entries a page, where the caller does not say.
pub(super) const DEFAULT_LIMIT: usize = 100;
/// Entries a page at most.
pub(super) const MAX_LIMIT: usize = 500;
/// Jobs a page, where the caller does not say.
pub(super) const DEFAULT_JOBS: usize = 20;
/// Jobs a page at most: each may hold a selection.
pub(super) const MAX_JOBS: usize = 100;

/// Mistakes that one answer tells.
const MAX_TOLD: usize = 20;

const OF_THE_FILTER: &str = "endpoint, event, reason, since, until";
const A_CURSOR: &str = "the next_cursor of an earlier answer, or none to begin";
const A_MOMENT: &str =
    "a time of RFC 3339 such as 2024-06-15T14:32:00Z (in a URL, + is written %2B)";

/// Which page of the list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListQuery {
    pub(super) filter: FailedFilter,
    pub(super) cursor: Option<i64>,
    sorted: Sorted,
    limit: usize,
}

/// Which page of the jobs is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JobsQuery {
    /// Older ones than this.
    pub(super) before: Option<JobId>,
    pub(super) limit: usize,
}

impl ListQuery {
    pub(super) fn part(&self, bytes: usize) -> Part {
        let (from, until) = match self.sorted {
            Sorted::OldestFirst => (self.cursor.unwrap_or(0), i64::MAX),
            Sorted::NewestFirst => (0, self.cursor.unwrap_or(i64::MAX)),
        };
        Part {
            sorted: self.sorted,
            from,
            until,
            limit: self.limit,
            bytes,
        }
    }
}

/// A page of the list; all mistakes are told at once.
pub(super) fn list(parameters: &[(String, String)], role: Role) -> Result<ListQuery, Problem> {
    let mut query = ListQuery {
        filter: FailedFilter::default(),
        cursor: None,
        sorted: Sorted::OldestFirst,
        limit: DEFAULT_LIMIT,
    };
    let mut mistakes = each(parameters, |name, value| match name {
        "limit" => limit(&mut query.limit, MAX_LIMIT, value),
        "cursor" => {
            let cursor = value.parse().ok().filter(|cursor| *cursor >= 0);
            query.cursor = Some(cursor.ok_or_else(|| wrong(name, value, A_CURSOR.to_owned()))?);
            Ok(())
        }
        "order" => {
            query.sorted = match value {
                "oldest" => Sorted::OldestFirst,
                "newest" => Sorted::NewestFirst,
                _ => return Err(wrong(name, value, "oldest, newest".to_owned())),
            };
            Ok(())
        }
        _ => filter_by(
            &mut query.filter,
            role,
            name,
            value,
            ", limit, cursor, order",
        ),
    });
    mistakes.extend(senseless(&query.filter));
    told(query, mistakes)
}

/// Only what chooses.
pub(super) fn filter(parameters: &[(String, String)], role: Role) -> Result<FailedFilter, Problem> {
    let mut filter = FailedFilter::default();
    let mut mistakes = each(parameters, |name, value| {
        filter_by(&mut filter, role, name, value, "")
    });
    mistakes.extend(senseless(&filter));
    told(filter, mistakes)
}

/// A page of the jobs.
pub(super) fn jobs(parameters: &[(String, String)]) -> Result<JobsQuery, Problem> {
    let mut query = JobsQuery {
        before: None,
        limit: DEFAULT_JOBS,
    };
    let mistakes = each(parameters, |name, value| match name {
        "limit" => limit(&mut query.limit, MAX_JOBS, value),
        "cursor" => {
            let cursor = value.parse().ok();
            query.before = Some(cursor.ok_or_else(|| wrong(name, value, A_CURSOR.to_owned()))?);
            Ok(())
        }
        _ => Err(unknown(name, "limit, cursor".to_owned())),
    });
    told(query, mistakes)
}

/// Takes each parameter, once; gives the mistakes.
fn each(
    parameters: &[(String, String)],
    mut take: impl FnMut(&str, &str) -> Result<(), ProblemError>,
) -> Vec<ProblemError> {
    let mut seen = HashSet::new();
    let mut mistakes = Vec::new();
    for (name, value) in parameters {
        let taken = if seen.insert(name.as_str()) {
            take(name, value)
        } else {
            Err(ProblemError::new(name, "it is given more than once").allowed("one value"))
        };
        mistakes.extend(taken.err());
    }
    mistakes
}

fn told<T>(query: T, mut mistakes: Vec<ProblemError>) -> Result<T, Problem> {
    if mistakes.is_empty() {
        return Ok(query);
    }
    mistakes.truncate(MAX_TOLD);
    Err(refuse(mistakes))
}

fn filter_by(
    filter: &mut FailedFilter,
    role: Role,
    name: &str,
    value: &str,
    others: &str,
) -> Result<(), ProblemError> {
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
        other => {
            let account = match role {
                Role::Operator => "account, ",
                Role::Account | Role::Ingest => "",
            };
            return Err(unknown(other, format!("{account}{OF_THE_FILTER}{others}")));
        }
    }
    Ok(())
}

fn senseless(filter: &FailedFilter) -> Option<ProblemError> {
    let error = filter.check().err()?;
    let mistake = ProblemError::new(error.field(), error.to_string());
    Some(match (error, filter.until) {
        (NotAFilter::UntilBeforeSince, Some(until)) => {
            mistake.found(until.to_string()).allowed("since or later")
        }
        (_, _) => mistake,
    })
}

fn limit(taken: &mut usize, most: usize, value: &str) -> Result<(), ProblemError> {
    let limit = value.parse().ok();
    let limit = limit.filter(|limit| (1..=most).contains(limit));
    let allowed = || format!("a whole number from 1 to {most}");
    *taken = limit.ok_or_else(|| wrong("limit", value, allowed()))?;
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

fn unknown(name: &str, allowed: String) -> ProblemError {
    ProblemError::new(name, "there is no such parameter").allowed(allowed)
}

fn wrong(name: &str, value: &str, allowed: String) -> ProblemError {
    ProblemError::new(name, "the value is not allowed")
        .found(value)
        .allowed(allowed)
}

fn one_of<const N: usize>(words: [&str; N]) -> String {
    words.join(", ")
}
