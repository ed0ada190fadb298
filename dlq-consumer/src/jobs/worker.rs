//! Who carries jobs out: one batch of each that runs, in turn.

use std::time::Duration;

use domain::JobId;
use kafka::MoveError;
use tokio_util::sync::CancellationToken;

use super::Jobs;
use super::step::StepError;
use crate::RunError;

/// How long it waits before it tries again what Kafka did not take. Each try
/// takes up to 8 s by itself.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    Pause,
    /// Only another process can.
    Stop,
}

impl Jobs {
    /// Carries out what runs, also what an earlier process left, until `stop`.
    /// Ends between two batches.
    pub(crate) async fn work(self, stop: CancellationToken) {
        let read = async {
            self.moves
                .table
                .caught_up()
                .await
                .and(self.table.caught_up().await)
        };
        if !matches!(stop.run_until_cancelled(read).await, Some(Ok(()))) {
            return;
        }
        for job in self.known.running() {
            tracing::info!(%job, "a job goes on");
        }
        loop {
            let running = self.known.running();
            if running.is_empty()
                && stop
                    .run_until_cancelled(self.started.notified())
                    .await
                    .is_none()
            {
                return;
            }
            for job in running {
                if stop.is_cancelled() {
                    return;
                }
                let then = match self.step(job).await {
                    Ok(()) => Then::GoOn,
                    Err(error) => self.after(job, error).await,
                };
                match then {
                    Then::GoOn => {}
                    Then::Pause => {
                        stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
                    }
                    Then::Stop => return,
                }
            }
        }
    }

    async fn after(&self, job: JobId, error: StepError) -> Then {
        match error {
            StepError::Index(error) => {
                tracing::error!(%job, %error, "the index cannot be read");
                if error.is_broken_file() {
                    self.moves.trouble.report(error);
                    return Then::Stop;
                }
                Then::Pause
            }
            // The log says why, and the process ends.
            StepError::NotShown(_) => Then::Stop,
            StepError::Kafka(MoveError::Fenced(reason)) => {
                self.moves.trouble.report(RunError::Fenced(reason));
                Then::Stop
            }
            StepError::Kafka(error @ (MoveError::Refused(_) | MoveError::Connection(_))) => {
                match self.fail(job, &error.to_string()).await {
                    Ok(()) => Then::GoOn,
                    Err(error) => {
                        tracing::error!(%job, %error, "it cannot be noted that a job failed");
                        Then::Pause
                    }
                }
            }
            StepError::Kafka(
                error @ (MoveError::Busy | MoveError::Aborted(_) | MoveError::Unknown(_)),
            ) => {
                tracing::warn!(%job, %error, "a job waits for Kafka");
                Then::Pause
            }
        }
    }
}
