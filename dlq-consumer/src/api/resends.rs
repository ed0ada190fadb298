//! `/webhooks/resends`: bulk jobs.

use std::fmt;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::{FailedFilter, Job, JobAction, JobId, Timestamp};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use service::body;
use service::problem::{Problem, ProblemError};
use service::tokens::Role;

use super::{Allowed, Api, Id, Parameters, json, not_written, query};
use crate::jobs::{JobError, Wanted};

/// A selection of ids, and what JSON adds to them.
const MAX_BODY: usize = 256 * 1024;

/// A filter must be there, so that a misspelt one does not mean everything.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    #[serde(deserialize_with = "object")]
    filter: FailedFilter,
    action: JobAction,
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

/// The keys in the order of the API's description.
#[derive(Serialize)]
struct JobJson<'a> {
    id: JobId,
    action: JobAction,
    filter: &'a FailedFilter,
    account: Option<&'a str>,
    state: &'static str,
    total: u64,
    moved: u64,
    skipped: u64,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    started_by: &'a str,
    error: Option<&'a str>,
}

impl<'a> From<&'a Job> for JobJson<'a> {
    fn from(job: &'a Job) -> Self {
        Self {
            id: job.id,
            action: job.action,
            filter: &job.filter,
            account: job.account.as_ref().map(domain::AccountId::as_str),
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
    #[derive(Serialize)]
    struct WouldMove {
        count: u64,
        skipped: u64,
    }
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
    #[derive(Serialize)]
    struct PageJson<'a> {
        items: Vec<JobJson<'a>>,
        next_cursor: Option<JobId>,
    }
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

fn check(filter: &FailedFilter, role: Role) -> Result<(), Problem> {
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

fn absent() -> Problem {
    Problem::not_found("there is no such job: GET /webhooks/resends shows the latest")
}

fn refused(api: &Api, error: JobError) -> Problem {
    let conflict = |slug, detail: String| Problem::new(StatusCode::CONFLICT, slug, detail);
    match error {
        JobError::Absent => absent(),
        JobError::Ended(_) => conflict("job-ended", error.to_string()),
        JobError::TooMany => conflict(
            "too-many-jobs",
            format!("{error}: wait for one to end, or cancel one"),
        ),
        JobError::Index(error) => api.broken(error),
        JobError::Kafka(error) => {
            tracing::warn!(%error, "a job was not changed");
            not_written(&error)
        }
    }
}
