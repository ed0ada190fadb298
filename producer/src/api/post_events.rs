//! `POST /v1/events`: 202 once all in-sync replicas have the event.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::{EventId, Submission};
use schemars::JsonSchema;
use serde::Serialize;
use service::body;
use service::problem::{ABOUT_BLANK, Problem};
use sha2::{Digest, Sha256};

use super::admit::Admitted;
use super::{Api, ndjson};
use crate::intake::{Incoming, Keyed, ROOM_TIME, Refusal, Started};

/// An event that all in-sync replicas have.
#[derive(Serialize, JsonSchema)]
pub(super) struct Accepted {
    /// The event's id: receivers see it as `webhook-id` and `Idempotency-Key`.
    id: EventId,
}

pub(crate) async fn post_events(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let admitted = match api.admit(&parts, Instant::now()) {
        Ok(admitted) => admitted,
        Err(problem) => return problem.into_response(),
    };
    let body = match body::read(body, admitted.most_bytes).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let answer = api.answers.spawn(answer(Arc::clone(&api), admitted, body));
    answer.await.unwrap_or_else(|_| {
        let detail = "the producer ended before the event was acknowledged";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, ABOUT_BLANK, detail).into_response()
    })
}

async fn answer(api: Arc<Api>, admitted: Admitted, body: Bytes) -> Response {
    if admitted.ndjson {
        return ndjson::answer(&api, &admitted, &body).await;
    }
    let deadline = Instant::now() + ROOM_TIME;
    let started = start(&api, &admitted, admitted.key.as_deref(), &body, deadline).await;
    match api.intake.finish(started).await {
        Ok(id) => (StatusCode::ACCEPTED, Json(Accepted { id })).into_response(),
        Err(refusal) => Problem::from(refusal).into_response(),
    }
}

/// Reads one event and sends it on its way.
pub(crate) async fn start(
    api: &Api,
    request: &Admitted,
    key: Option<&str>,
    body: &[u8],
    deadline: Instant,
) -> Started {
    let submission = match Submission::parse(body) {
        Ok(submission) => submission,
        Err(error) => return Started::Refused(Refusal::Event(error)),
    };
    let keyed = key.map(|key| Keyed {
        id: EventId::from_idempotency_key(&request.account, key),
        body: Sha256::digest(body).into(),
    });
    let incoming = Incoming {
        account: request.account.clone(),
        submission,
        trace: request.trace,
        keyed,
    };
    api.intake.start(incoming, deadline).await
}
