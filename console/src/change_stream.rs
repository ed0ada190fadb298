//! Server-sent events which tell that something has changed, so that a page asks
//! again. They tell nothing else.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::actor::Scope;
use crate::attempts::Changes;
use crate::shared::{STREAMS, Shared};

/// After this the client connects again, and who it is is looked at again.
const LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Shorter than proxies cut off what is silent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// So many follow changes that there is no room for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{STREAMS} clients follow changes already")]
pub(crate) struct TooMany;

struct Stream {
    changes: Changes,
    is_new: bool,
    end: Instant,
    stop: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

/// Tells of the changes that the scope can see.
///
/// # Errors
/// [`TooMany`].
pub(crate) fn follow(shared: &Shared, scope: Scope) -> Result<Response, TooMany> {
    let permit = shared.streams.clone().try_acquire_owned();
    let begun = Stream {
        changes: shared.log.attempts.changes(scope.into()),
        is_new: true,
        end: Instant::now() + LIFETIME,
        stop: shared.stop.clone(),
        _permit: permit.map_err(|_| TooMany)?,
    };
    let events = stream::unfold(begun, async |mut stream| {
        let number = stream.next().await?.to_string();
        let event = Event::default().event("change").data(number);
        Some((Ok::<_, Infallible>(event), stream))
    });
    let alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(events).keep_alive(alive).into_response())
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
