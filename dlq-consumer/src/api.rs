//! The failed list over HTTP: its entries, bulk jobs, and any delivery again.

mod contract;
mod deliveries;
mod export;
mod failed;
mod item;
mod query;
mod resends;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Query;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::AccountId;
use kafka::MoveError;
use serde::Serialize;
use service::contract::{Operation, Routes};
use service::problem::{self, Problem};
use service::tokens::{Caller, Role, Tokens, require};
use tokio::sync::Semaphore;

use crate::index::{IndexError, Scope};
use crate::list::FailedList;

/// Seconds after which a list that is being read may be there.
const LIST_RETRY: u64 = 5;
/// Seconds after which Kafka may take a move.
const MOVE_RETRY: u64 = 2;

/// What requests are answered from.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    tokens: Tokens,
    /// There once Kafka was reached.
    list: Arc<OnceLock<FailedList>>,
    /// Exports that may run.
    exports: Arc<Semaphore>,
}

pub(crate) fn routes(tokens: Tokens, list: Arc<OnceLock<FailedList>>) -> Router {
    let api = Api {
        tokens,
        list,
        exports: Arc::new(Semaphore::new(export::AT_ONCE)),
    };
    problem::with_fallbacks(described().into_router().with_state(api))
}

/// What the API promises.
#[must_use]
pub fn operations() -> Vec<Operation> {
    described().operations()
}

fn described() -> Routes<Api> {
    const FAILED: &str = "/webhooks/failed";
    const ENTRY: &str = "/webhooks/failed/{id}";
    const RESEND: &str = "/webhooks/failed/{id}/resend";
    const JOBS: &str = "/webhooks/resends";
    const JOB: &str = "/webhooks/resends/{id}";
    const AGAIN: &str = "/webhooks/deliveries/{id}/resend";
    Routes::new()
        .get(FAILED, failed::list, contract::failed::list)
        .get(
            "/webhooks/failed/count",
            failed::count,
            contract::failed::count,
        )
        .get(
            "/webhooks/failed/export",
            export::export,
            contract::failed::export,
        )
        .get(ENTRY, failed::one, contract::failed::one)
        .delete(ENTRY, failed::discard, contract::failed::discard)
        .post(RESEND, failed::resend, contract::failed::resend)
        .get(JOBS, resends::list, contract::resends::list)
        .post(JOBS, resends::start, contract::resends::start)
        .get(JOB, resends::one, contract::resends::one)
        .delete(JOB, resends::cancel, contract::resends::cancel)
        .post(AGAIN, deliveries::resend, contract::deliveries::resend)
}

type Parameters = Result<Query<Vec<(String, String)>>, QueryRejection>;
type Id = Result<axum::extract::Path<String>, PathRejection>;

/// Who asks, and what may be seen.
struct Allowed {
    caller: Caller,
    scope: Scope,
}

impl Api {
    fn allow(&self, headers: &HeaderMap) -> Result<Allowed, Problem> {
        let caller = require(&self.tokens, headers, &[Role::Account, Role::Operator])?;
        let scope = match &caller.account {
            None => Scope::All,
            Some(account) => Scope::Account(account.parse::<AccountId>().map_err(|error| {
                Problem::forbidden(format!("the token {}: {error}", caller.token_id))
            })?),
        };
        Ok(Allowed { caller, scope })
    }

    /// The list, once it holds all that was on the topic at the start. A part
    /// of it would look like its end.
    fn list(&self) -> Result<&FailedList, Problem> {
        let list = self.list.get().filter(|list| list.is_caught_up());
        list.ok_or_else(not_ready)
    }

    fn broken(&self, error: IndexError) -> Problem {
        tracing::error!(%error, "the index cannot be read");
        if let Some(list) = self.list.get() {
            list.report(error);
        }
        unreadable()
    }
}

fn not_ready() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "not-ready",
        "the failed list is being read from Kafka: ask again a little later",
    )
    .retry_after(LIST_RETRY)
}

fn unreadable() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        problem::ABOUT_BLANK,
        "the failed list cannot be read; the log of this server says why",
    )
}

fn not_written(error: &MoveError) -> Problem {
    let unavailable = |detail: &str| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "kafka-unavailable", detail)
            .retry_after(MOVE_RETRY)
    };
    match error {
        MoveError::Busy | MoveError::Aborted(_) => {
            unavailable("Kafka did not take it now; nothing was changed")
        }
        MoveError::Unknown(_) | MoveError::Fenced(_) => unavailable(
            "it is not known whether Kafka took it: an entry that is off the failed list was \
             moved, and GET /webhooks/resends shows a job that was started",
        ),
        MoveError::Refused(_) | MoveError::Connection(_) => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            problem::ABOUT_BLANK,
            "Kafka refuses it; the log of this server says why. Nothing was changed",
        ),
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("texts, numbers and checked JSON serialise");
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
