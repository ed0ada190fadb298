//! `/webhooks/resends`: bulk jobs.

use std::fmt;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::{AccountId, FailedFilter, Job, JobAction, JobId, JobState, Timestamp};
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use service::body;
use service::problem::{Problem, ProblemError};
use service::tokens::Role;

use super::{Allowed, Api, Id, Parameters, json, not_written, query};
use crate::jobs::{JobError, Wanted};

/// A selection of ids, and what JSON adds to them.
pub(super) const MAX_BODY: usize = 256 * 1024;

/// What is to be done to which entries. The filter must be there, so that a misspelt
/// one does not mean everything.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BulkOrder")]
pub(super) struct Order {
    /// Which entries: those that meet all conditions; without any, all of them.
    #[serde(deserialize_with = "object")]
    filter: FailedFilter,
    /// What becomes of them.
    action: JobAction,
    /// Only count them.
    #[serde(default)]
    dry_run: bool,
}

/// Only an object: serde would take an empty list for a filter without
/// conditions, which means everything.
fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FailedFilter, D::Error> {
    struct Object;

    impl<'de> Visitor<'de> for Object {
        type Value = FailedFilter;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object with the filter's conditions")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FailedFilter, A::Error> {
            FailedFilter::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_map(Object)
}

/// A bulk job.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Job")]
pub(super) struct JobJson<'a> {
    /// Its id.
    id: JobId,
    /// What it does.
    action: JobAction,
    /// To which entries.
    filter: &'a FailedFilter,
    /// Whose entries; `null` is every account's.
    #[schemars(with = "Option<AccountId>")]
    account: Option<&'a str>,
    /// How far it is.
    #[schemars(with = "JobState")]
    state: &'static str,
    /// Entries that it covers: those that matched when it was started.
    total: u64,
    /// Entries that it has moved.
    moved: u64,
    /// Entries that cannot be sent again, or had left the list before their turn.
    skipped: u64,
    /// When it was started.
    started_at: Timestamp,
    /// When it ended.
    finished_at: Option<Timestamp>,
    /// The id of the token that started it.
    started_by: &'a str,
    /// Why it failed.
    error: Option<&'a str>,
}

/// What a job would do now.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Forecast")]
pub(super) struct WouldMove {
    /// Entries that it would move.
    count: u64,
    /// Entries that match and cannot be sent again.
    skipped: u64,
}

/// A page of the jobs.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "JobPage")]
pub(super) struct PageJson<'a> {
    /// The newest first.
    items: Vec<JobJson<'a>>,
    /// What to give as `cursor` for the next page; `null` on the last one.
    next_cursor: Option<JobId>,
}

impl<'a> From<&'a Job> for JobJson<'a> {
    fn from(job: &'a Job) -> Self {
        Self {
            id: job.id,
            action: job.action,
            filter: &job.filter,
            account: job.account.as_ref().map(AccountId::as_str),
            state: job.state.as_str(),
            total: job.total,
            moved: job.moved,
            skipped: job.skipped,
            started_at: job.started_at,
            finished_at: job.finished_at,
            started_by: &job.started_by,
            error: job.error.as_deref(),
        }
    }
}

/// 202 with the job, or for a dry run 200 with what it would do now.
pub(super) async fn start(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let Allowed { caller, scope } = api.allow(&headers)?;
    let body = body::read(body, MAX_BODY).await?;
    let order: Order = body::json(&body)?;
    check(&order.filter, caller.role)?;
    let wanted = Wanted {
        scope,
        token: caller.token_id,
        action: order.action,
        filter: order.filter,
    };
    let jobs = api.list()?.jobs();
    if order.dry_run {
        let forecast = jobs.forecast(&wanted).await;
        let forecast = forecast.map_err(|error| api.broken(error))?;
        let would_move = WouldMove {
            count: forecast.moved,
            skipped: forecast.skipped,
        };
        return Ok(json(StatusCode::OK, &would_move));
    }
    let job = jobs.start(wanted).await;
    let job = job.map_err(|error| refused(&api, error))?;
    let location = format!("/webhooks/resends/{}", job.id);
    let answer = json(StatusCode::ACCEPTED, &JobJson::from(&job));
    Ok(([(header::LOCATION, location)], answer).into_response())
}

/// The account's jobs, newest first.
pub(super) async fn list(
    State(api): State<Api>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let Allowed { scope, .. } = api.allow(&headers)?;
    let Query(parameters) = parameters?;
    let query = query::jobs(&parameters)?;
    let known = &api.list()?.jobs().known;
    let page = known.page(&scope, query.before, query.limit);
    let last = page.jobs.last().map(|job| job.id);
    let page = PageJson {
        items: page.jobs.iter().map(JobJson::from).collect(),
        next_cursor: last.filter(|_| page.more),
    };
    Ok(json(StatusCode::OK, &page))
}

pub(super) async fn one(
    State(api): State<Api>,
    headers: HeaderMap,
    id: Id,
) -> Result<Response, Problem> {
    let Allowed { scope, .. } = api.allow(&headers)?;
    let id = read(id)?;
    let found = api.list()?.jobs().known.find(&scope, id);
    let job = found.ok_or_else(|| refused(&api, JobError::Absent))?;
    Ok(json(StatusCode::OK, &JobJson::from(&job)))
}

/// 200 with the job as it was left, also the second time. One that has done
/// all it was to do is 409: its caller must not think that something was saved.
pub(super) async fn cancel(
    State(api): State<Api>,
    headers: HeaderMap,
    id: Id,
) -> Result<Response, Problem> {
    let Allowed { caller, scope } = api.allow(&headers)?;
    let id = read(id)?;
    let job = api.list()?.jobs().cancel(scope, id, caller.token_id).await;
    let job = job.map_err(|error| refused(&api, error))?;
    Ok(json(StatusCode::OK, &JobJson::from(&job)))
}

fn read(id: Id) -> Result<JobId, Problem> {
    let Path(id) = id?;
    id.parse().map_err(|_| absent())
}

pub(super) fn check(filter: &FailedFilter, role: Role) -> Result<(), Problem> {
    let mistake = if role != Role::Operator && filter.account.is_some() {
        ProblemError::new("$.filter.account", "only operators choose an account")
            .allowed("to leave it out")
    } else {
        match filter.check() {
            Ok(()) => return Ok(()),
            Err(error) => {
                ProblemError::new(format!("$.filter.{}", error.field()), error.to_string())
            }
        }
    };
    let problem = Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid-body",
        "the body is JSON, but not what is allowed here",
    );
    Err(problem.with_error(mistake))
}

pub(super) fn absent() -> Problem {
    Problem::not_found("there is no such job: GET /webhooks/resends shows the latest")
}

pub(super) fn ended(state: JobState) -> Problem {
    let why = JobError::Ended(state);
    Problem::new(StatusCode::CONFLICT, "job-ended", why.to_string())
}

pub(super) fn too_many() -> Problem {
    let why = JobError::TooMany;
    let detail = format!("{why}: wait for one to end, or cancel one");
    Problem::new(StatusCode::CONFLICT, "too-many-jobs", detail)
}

fn refused(api: &Api, error: JobError) -> Problem {
    match error {
        JobError::Absent => absent(),
        JobError::Ended(state) => ended(state),
        JobError::TooMany => too_many(),
        JobError::Index(error) => api.broken(error),
        JobError::Kafka(error) => {
            tracing::warn!(%error, "a job was not changed");
            not_written(&error)
        }
    }
}
