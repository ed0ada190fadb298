//! The clean stop: the first SIGTERM or SIGINT asks, the second one ends.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Exit code after a second Ctrl-C: 128 + SIGINT, as shells have it.
const EXIT_INTERRUPTED: i32 = 130;
/// Exit code after a second SIGTERM: 128 + SIGTERM.
const EXIT_TERMINATED: i32 = 143;

/// Keeps the signals watched; dropping it stops that. Hold it until the process ends.
#[derive(Debug)]
#[must_use = "dropping this stops watching for signals"]
pub struct SignalWatch {
    _task: JoinSet<()>,
}

/// The token is cancelled at the first SIGTERM or SIGINT. A second signal, of either kind,
/// ends the process at once with 143 or 130. The watcher is a task of its own, so that a
/// second signal works while the main task is busy; it is aborted when the
/// [`SignalWatch`] is dropped.
///
/// # Errors
/// When the handlers cannot be registered.
///
/// # Panics
/// Outside a tokio runtime.
pub fn on_signals() -> io::Result<(CancellationToken, SignalWatch)> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = CancellationToken::new();
    let cancelled = shutdown.clone();
    let mut task = JoinSet::new();
    task.spawn(async move {
        next(&mut terminate, &mut interrupt).await;
        tracing::info!("stopping; a second signal ends the process at once");
        cancelled.cancel();
        let code = next(&mut terminate, &mut interrupt).await;
        tracing::warn!(
            exit_code = code,
            "second signal: ending without a clean stop"
        );
        std::process::exit(code);
    });
    Ok((shutdown, SignalWatch { _task: task }))
}

/// Waits for one signal and gives the exit code that it stands for.
async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> i32 {
    tokio::select! {
        _ = terminate.recv() => EXIT_TERMINATED,
        _ = interrupt.recv() => EXIT_INTERRUPTED,
    }
}
