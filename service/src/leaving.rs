//! The time between SIGTERM and the stop, for servers behind something that shares requests
//! out: it learns of the stop later than the process, and sends requests here until then.

use std::pin::pin;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use tokio_util::sync::CancellationToken;

use crate::health::Health;

/// Kubernetes takes a pod out of its Service within a second or two, on a busy cluster some
/// more.
const TIME: Duration = Duration::from_secs(5);

/// Runs `work` to its end. Once `asked` is cancelled, `health` is not ready any more, and
/// everything goes on for five seconds; only then the token that `work` was given is cancelled.
pub async fn before_stop<T>(
    asked: &CancellationToken,
    health: &Health,
    work: impl AsyncFnOnce(CancellationToken) -> T,
) -> T {
    let stop = CancellationToken::new();
    let mut work = pin!(work(stop.clone()));
    let leave = async {
        asked.cancelled().await;
        health.leave();
        tokio::time::sleep(TIME).await;
        stop.cancel();
    };
    tokio::select! {
        result = &mut work => return result,
        () = leave => {}
    }
    work.await
}

/// A layer: connections end with the answer while the process leaves, so that their clients
/// find another one.
pub async fn close_connections(
    State(health): State<Health>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if health.is_leaving() {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}
