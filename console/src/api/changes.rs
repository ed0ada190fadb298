//! `GET /api/v1/changes`: tells as server-sent events that something has
//! changed, so that a page asks again. It tells nothing else.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use service::problem::Problem;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Api;
use super::asker::Asker;
use super::endpoints::AccountQuery;
use crate::attempts::Changes;
use crate::shared::STREAMS;

/// Seconds after which one may have ended.
const RETRY: u64 = 30;
/// After this the client connects again, and its token is looked at again.
const LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Shorter than proxies cut off what is silent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

struct Stream {
    changes: Changes,
    is_new: bool,
    end: Instant,
    stop: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

pub(super) async fn follow(
    State(api): State<Api>,
    asker: Asker,
    query: Result<Query<AccountQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let scope = asker.by.narrowed(query.account)?;
    let permit = api.shared.streams.clone().try_acquire_owned();
    let permit = permit.map_err(|_| too_many())?;
    let begun = Stream {
        changes: api.shared.log.attempts.changes(scope.into()),
        is_new: true,
        end: Instant::now() + LIFETIME,
        stop: api.shared.stop.clone(),
        _permit: permit,
    };
    let events = stream::unfold(begun, async |mut stream| {
        let number = stream.next().await?.to_string();
        let event = Event::default().event("change").data(number);
        Some((Ok::<_, Infallible>(event), stream))
    });
    let alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(events).keep_alive(alive).into_response())
}

pub(super) fn too_many() -> Problem {
    let detail = format!("{STREAMS} clients follow changes already");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too-many-streams", detail).retry_after(RETRY)
}

impl Stream {
    /// The number of the next change; the first one comes at once, for what
    /// happened since the client asked last.
    async fn next(&mut self) -> Option<u64> {
        if std::mem::take(&mut self.is_new) {
            return Some(self.changes.last());
        }
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            () = sleep_until(self.end) => None,
            number = self.changes.next() => Some(number),
        }
    }
}
