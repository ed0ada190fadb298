//! Many events in one request, one a line, answered line by line.

use std::time::Instant;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::EventId;
use schemars::JsonSchema;
use serde::Serialize;
use service::problem::{ABOUT_BLANK, Problem};

use super::admit::Admitted;
use super::{Api, post_events};
use crate::intake::ROOM_TIME;

/// Events of one request.
const MAX_EVENTS: usize = 1_000;

/// The answer to one line; exactly one of id and error is there.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AcceptedLine", extend("oneOf" = [{"required": ["id"]}, {"required": ["error"]}]))]
pub(super) struct Answer {
    /// The line's number, from 1.
    #[schemars(range(min = 1))]
    line: usize,
    /// The event's id, where it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "EventId")]
    id: Option<EventId>,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Problem")]
    error: Option<Problem>,
}

/// 207 with one answer a line, in order. All lines are on their way before the
/// first acknowledgement is waited for.
pub(crate) async fn answer(api: &Api, request: &Admitted, body: &[u8]) -> Response {
    let lines: Vec<(usize, &[u8])> = lines(body).collect();
    if let Some(problem) = refuse(lines.len()) {
        return problem.into_response();
    }
    let now = Instant::now();
    if request.limited {
        // The first was taken when the request was let in.
        api.rate.overdraw(&request.account, lines.len() - 1, now);
    }
    let mut started = Vec::with_capacity(lines.len());
    for (number, line) in lines {
        let key = request.key.as_ref().map(|key| format!("{key}/{number}"));
        let deadline = now + ROOM_TIME;
        let line = post_events::start(api, request, key.as_deref(), line, deadline).await;
        started.push((number, line));
    }
    let mut answers = Vec::with_capacity(started.len() * 64);
    for (line, started) in started {
        let outcome = api.intake.finish(started).await;
        let (id, error) = match outcome {
            Ok(id) => (Some(id), None),
            Err(refusal) => (None, Some(refusal.into())),
        };
        serde_json::to_writer(&mut answers, &Answer { line, id, error })
            .expect("strings and numbers always serialise");
        answers.push(b'\n');
    }
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    (StatusCode::MULTI_STATUS, kind, answers).into_response()
}

/// The lines that hold something, numbered from 1 as an editor does.
fn lines(body: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    (1..)
        .zip(body.split(|byte| *byte == b'\n'))
        .map(|(number, line)| (number, line.trim_ascii()))
        .filter(|(_, line)| !line.is_empty())
}

/// Why so many lines are not taken, if so.
pub(super) fn refuse(events: usize) -> Option<Problem> {
    match events {
        0 => Some(Problem::new(
            StatusCode::BAD_REQUEST,
            ABOUT_BLANK,
            "the body holds no event; one JSON event a line is expected",
        )),
        1..=MAX_EVENTS => None,
        _ => Some(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-many-lines",
            format!(
                "the body holds {events} lines, allowed are {MAX_EVENTS}; none was published, \
                 send them in several requests"
            ),
        )),
    }
}
