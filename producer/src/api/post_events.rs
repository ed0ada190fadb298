//! `POST /v1/events`: 202 once all in-sync replicas have the event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{EventId, Submission};
use schemars::JsonSchema;
use serde::Serialize;
use service::body;
use service::problem::{ABOUT_BLANK, Problem};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::admit::Admitted;
use super::{Api, ndjson};
use crate::intake::{Incoming, Keyed, ROOM_TIME, Refusal, Started};

/// How long the body of a refused request is read and thrown away.
const DISCARD_TIME: Duration = Duration::from_secs(2);

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
        Err(problem) => {
            discard(&parts.headers, body).await;
            return problem.into_response();
        }
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

/// Lets a client finish sending, so that it reads the refusal instead of
/// meeting a reset connection. One that asks first is not asked to send.
async fn discard(headers: &HeaderMap, body: Body) {
    if !headers.contains_key(header::EXPECT) {
        drop(timeout(DISCARD_TIME, body::read(body, 0)).await);
    }
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
        traceparent: request.traceparent.clone(),
        keyed,
    };
    api.intake.start(incoming, deadline).await
}
