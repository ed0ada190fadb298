//! The thread that moves records.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Duration,
};

use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{Move, MoveError, transaction::Transactions};
use crate::{Connection, ConnectionError, Stored};

/// How long the thread waits for a move before it looks whether it shall end.
/// A move wakes it at once.
const LOOK_FOR_STOP: Duration = Duration::from_millis(100);
/// Moves in one transaction at most: what one failure makes fail together.
const TOGETHER: usize = 64;

pub(super) struct Worker {
    transactions: Transactions,
    waiting: Receiver<Move>,
    failure: watch::Sender<Option<String>>,
    stop: CancellationToken,
    after_refusal: bool,
}

impl Worker {
    pub(super) fn new(
        connection: &Connection,
        transactional_id: &str,
        waiting: Receiver<Move>,
        failure: watch::Sender<Option<String>>,
        stop: CancellationToken,
    ) -> Result<Self, ConnectionError> {
        Ok(Self {
            transactions: Transactions::new(connection, transactional_id, stop.clone())?,
            waiting,
            failure,
            stop,
            after_refusal: false,
        })
    }

    pub(super) fn run(mut self, ready: oneshot::Sender<Result<(), MoveError>>) {
        let taken = self.transactions.take_id();
        let failed = taken.is_err();
        // Whoever opens may have stopped waiting; then the handle is gone too.
        ready.send(taken).ok();
        while !failed && !self.stop.is_cancelled() && self.failure.borrow().is_none() {
            match self.waiting.recv_timeout(LOOK_FOR_STOP) {
                Ok(first) => {
                    let rest = self.waiting.try_iter().take(TOGETHER - 1);
                    self.move_together(std::iter::once(first).chain(rest).collect());
                }
                Err(RecvTimeoutError::Timeout) => self.transactions.serve_log(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    }

    /// One transaction. A record that the broker refuses leaves a gap in the
    /// numbers it expects; it notices with the next transaction, whose abort
    /// repairs that, so that one is tried twice.
    fn write(&mut self, moves: &[Move]) -> Result<Vec<Stored>, MoveError> {
        let outcome = self.transactions.write(moves);
        let by_the_gap = self.after_refusal && matches!(outcome, Err(MoveError::Aborted(_)));
        self.after_refusal = matches!(outcome, Err(MoveError::Refused(_)));
        if by_the_gap {
            self.transactions.write(moves)
        } else {
            outcome
        }
    }

    /// One transaction for all, and where a record in it is refused, one for
    /// each, so that only its own move fails.
    fn move_together(&mut self, moves: Vec<Move>) {
        match self.write(&moves) {
            Err(MoveError::Refused(_)) if moves.len() > 1 => {
                for single in moves {
                    self.move_together(vec![single]);
                }
            }
            Ok(stored) => {
                let mut stored = stored.into_iter();
                for done in moves {
                    let own = stored.by_ref().take(done.records.len()).collect();
                    answer(done, Ok(own));
                }
            }
            Err(error) => {
                if let MoveError::Fenced(reason) = &error {
                    tracing::error!(reason, "records cannot be moved by this process any more");
                    self.failure.send_replace(Some(reason.clone()));
                } else {
                    tracing::warn!(moves = moves.len(), %error, "a transaction has failed");
                }
                for done in moves {
                    answer(done, Err(error.clone()));
                }
            }
        }
    }
}

fn answer(done: Move, outcome: Result<Vec<Stored>, MoveError>) {
    // Whoever asked may have stopped waiting.
    done.reply.send(outcome).ok();
}
