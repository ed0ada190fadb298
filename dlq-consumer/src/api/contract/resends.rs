//! `/webhooks/resends`.

use axum::http::StatusCode;
use domain::{FailedFilter, JobId, JobState};
use serde_json::{Value, json};
use service::contract::{Answer, Content, Operation, Parameter, Shape};
use service::tokens::Role;

use super::super::query::{self, DEFAULT_JOBS, MAX_JOBS};
use super::super::resends::{
    JobJson, MAX_BODY, Order, PageJson, WouldMove, absent, check, ended, too_many,
};
use super::ENDPOINT;

const JOBS: &str = "Bulk jobs";
/// What later requests take of a job.
const JOB_ID: &str = "job_id";
/// The job of examples.
const JOB: &str = "job_0190bf5d117c7d4e8a5b6c7d8e9fa0b1";

pub(in crate::api) fn start(operation: Operation) -> Operation {
    let filter = json!({"endpoint": ENDPOINT, "reason": "attempts_exhausted"});
    let order = |dry_run: bool| json!({"action": "resend", "filter": filter, "dry_run": dry_run});
    let body = Content::json(Shape::read::<Order>())
        .example("count_first", order(true))
        .example("resend", order(false));
    let job = Content::json(Shape::written::<JobJson<'_>>()).example("job", running());
    let forecast = Content::json(Shape::written::<WouldMove>());
    let forecast = forecast.example("forecast", json!({"count": 1204, "skipped": 0}));
    let of_account = FailedFilter {
        account: "shop".parse().ok(),
        ..FailedFilter::default()
    };
    super::moves(super::from_list(operation))
        .named(JOBS, "startJob", "Send again or discard all that match")
        .about(
            "With `dry_run` it is only counted. The job covers what is on the list when it \
             starts, moves each delivery once, and goes on after a restart.",
        )
        .json_body(MAX_BODY, body)
        .answers(
            Answer::with(StatusCode::ACCEPTED, "The job, which runs now", job)
                .header("Location", "Its path.")
                .keep(JOB_ID, "/id"),
        )
        .answers(Answer::with(
            StatusCode::OK,
            "What it would do (`dry_run`)",
            forecast,
        ))
        .refuses_all(check(&of_account, Role::Account).err())
        .refuses(too_many())
}

pub(in crate::api) fn list(operation: Operation) -> Operation {
    let page = Content::json(Shape::written::<PageJson<'_>>());
    let page = page.example("page", json!({"items": [running()], "next_cursor": null}));
    let limit = Parameter::query::<u32>("limit", "Jobs on a page; 20 where it is missing.");
    let limit = limit.bounded("minimum", 1).bounded("maximum", MAX_JOBS);
    let cursor = Parameter::query::<JobId>("cursor", "`next_cursor` of the page before.");
    let wrong = [("limit".to_owned(), "0".to_owned())];
    super::from_list(operation)
        .named(JOBS, "listJobs", "List bulk jobs")
        .takes(limit.example(DEFAULT_JOBS))
        .takes(cursor)
        .answers(Answer::with(StatusCode::OK, "A page of jobs", page))
        .refuses_all(query::jobs(&wrong).err())
}

pub(in crate::api) fn one(operation: Operation) -> Operation {
    let job = Content::json(Shape::written::<JobJson<'_>>()).example("running", running());
    of_job(operation)
        .named(JOBS, "getJob", "Show how far a job is")
        .answers(Answer::with(StatusCode::OK, "The job", job))
}

pub(in crate::api) fn cancel(operation: Operation) -> Operation {
    let mut example = running();
    example["state"] = "cancelled".into();
    example["finished_at"] = "2024-06-16T08:00:04Z".into();
    let job = Content::json(Shape::written::<JobJson<'_>>()).example("cancelled", example);
    super::moves(of_job(operation))
        .named(JOBS, "cancelJob", "Cancel a job")
        .about("What it has moved stays moved. The second time it is the same answer.")
        .answers(Answer::with(StatusCode::OK, "The job as it was left", job))
        .refuses(ended(JobState::Done))
}

fn of_job(operation: Operation) -> Operation {
    super::of_one::<JobId>(operation, "The job's id.", JOB, JOB_ID).refuses(absent())
}

fn running() -> Value {
    json!({
        "id": JOB,
        "action": "resend",
        "filter": {"endpoint": ENDPOINT, "reason": "attempts_exhausted"},
        "account": "shop",
        "state": "running",
        "total": 1204,
        "moved": 500,
        "skipped": 0,
        "started_at": "2024-06-16T08:00:00Z",
        "finished_at": null,
        "started_by": "shop-backend",
        "error": null,
    })
}
