//! One name's lookup, shared by all that wait for it.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use domain::Cause;
use tokio::sync::Mutex;
use tokio::time::timeout_at;

use crate::attempt::Failure;
use crate::guard::{Guard, Refused};
use crate::resolve::Resolving;
use crate::target::Origin;

/// Checked addresses of an origin, or why there are none.
pub(crate) type Answer = Result<Arc<[IpAddr]>, Failure>;

/// A lookup under way. One of the waiting polls it; when that one's time is over the
/// next goes on, so a name that hangs holds one thread however many wait for it.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// When it began.
    pub(crate) started: Instant,
    state: Mutex<State>,
}

enum State {
    Running(Resolving),
    Done(Answer),
}

impl Lookup {
    pub(crate) fn new(resolving: Resolving) -> Self {
        Self {
            started: Instant::now(),
            state: Mutex::new(State::Running(resolving)),
        }
    }

    /// The checked answer; `None` when it did not come before the deadline.
    pub(crate) async fn answer(
        &self,
        guard: &Guard,
        origin: &Origin,
        deadline: Instant,
    ) -> Option<Answer> {
        let answer = async {
            let mut state = self.state.lock().await;
            let resolved = match &mut *state {
                State::Done(answer) => return answer.clone(),
                State::Running(resolving) => resolving.await,
            };
            let answer = checked(guard, origin, resolved);
            *state = State::Done(answer.clone());
            answer
        };
        timeout_at(deadline.into(), answer).await.ok()
    }
}

/// A name is refused when any of its addresses is: which of them would be used is
/// for its owner to choose.
fn checked(guard: &Guard, origin: &Origin, resolved: io::Result<Vec<IpAddr>>) -> Answer {
    let addresses = resolved.map_err(|e| {
        let text = format!("{} was not found: {e}", origin.host);
        Failure::new(Cause::Dns, text)
    })?;
    if addresses.is_empty() {
        let text = format!("{} has no address", origin.host);
        return Err(Failure::new(Cause::Dns, text));
    }
    for address in &addresses {
        guard
            .check_connect(&origin.scheme, *address)
            .map_err(|refused| Refused::Resolved {
                name: origin.host.to_string(),
                address: Box::new(refused),
            })?;
    }
    Ok(addresses.into())
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Running(_) => f.write_str("Running"),
            Self::Done(answer) => f.debug_tuple("Done").field(answer).finish(),
        }
    }
}
