//! `/webhooks/failed`: the failed list over HTTP.

mod item;
mod query;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::AccountId;
use kafka::MoveError;
use serde::Serialize;
use service::problem::{self, Problem};
use service::tokens::{Caller, Role, Tokens, require};

use crate::index::{IndexError, Scope};
use crate::list::FailedList;
use crate::moves::{Action, NotMoved, Order};

/// Seconds after which a list that is being read may be there.
const LIST_RETRY: u64 = 5;
/// Seconds after which Kafka may take a move.
const MOVE_RETRY: u64 = 2;

/// What requests are answered from. The list is there once Kafka was reached.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) tokens: Tokens,
    pub(crate) list: Arc<OnceLock<FailedList>>,
}

pub(crate) fn routes(api: Api) -> Router {
    let router = Router::new()
        .route("/webhooks/failed", get(list))
        .route("/webhooks/failed/{id}", get(one).delete(discard))
        .route("/webhooks/failed/{id}/resend", post(resend))
        .with_state(api);
    problem::with_fallbacks(router)
}

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
        list.ok_or_else(|| {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "not-ready",
                "the failed list is being read from Kafka: ask again a little later",
            )
            .retry_after(LIST_RETRY)
        })
    }

    async fn take_off(&self, headers: &HeaderMap, id: &str, action: Action) -> Result<(), Problem> {
        let Allowed { caller, scope } = self.allow(headers)?;
        let order = Order {
            scope,
            token: caller.token_id,
            id: id.to_owned(),
            action,
        };
        let moved = self.list()?.moves().one(order).await;
        moved.map_err(|error| self.refused(id, action, error))
    }

    fn refused(&self, id: &str, action: Action, error: NotMoved) -> Problem {
        let conflict = |detail: String| Problem::new(StatusCode::CONFLICT, "not-moved", detail);
        match error {
            NotMoved::NotLive => absent(),
            NotMoved::Poison => conflict(format!("{error}; DELETE discards it")),
            NotMoved::UnderWay => conflict(format!(
                "{error}: if that request succeeds, it is off the list"
            )),
            NotMoved::Index(error) => self.broken(error),
            NotMoved::Kafka(error) => {
                tracing::warn!(delivery = id, action = action.as_str(), %error, "not moved");
                not_written(&error)
            }
        }
    }

    fn broken(&self, error: IndexError) -> Problem {
        tracing::error!(%error, "the index cannot be read");
        if let Some(list) = self.list.get() {
            list.report(error);
        }
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            problem::ABOUT_BLANK,
            "the failed list cannot be read; the log of this server says why",
        )
    }
}

fn absent() -> Problem {
    Problem::not_found("there is no such entry in the failed list: GET /webhooks/failed shows all")
}

fn not_written(error: &MoveError) -> Problem {
    let unavailable = |detail: &str| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "kafka-unavailable", detail)
            .retry_after(MOVE_RETRY)
    };
    match error {
        MoveError::Busy | MoveError::Aborted(_) => {
            unavailable("Kafka did not take it now; the entry is still on the failed list")
        }
        MoveError::Unknown(_) | MoveError::Fenced(_) => unavailable(
            "it is not known whether Kafka took it: an entry that is off the failed list was moved",
        ),
        MoveError::Refused(_) | MoveError::Connection(_) => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            problem::ABOUT_BLANK,
            "Kafka refuses it; the log of this server says why. \
             The entry is still on the failed list",
        ),
    }
}

type Parameters = Result<Query<Vec<(String, String)>>, QueryRejection>;
type Id = Result<Path<String>, PathRejection>;

async fn list(
    State(api): State<Api>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let Allowed { caller, scope } = api.allow(&headers)?;
    let Query(parameters) = parameters?;
    let query = query::read(&parameters, caller.role)?;
    let list = api.list()?;
    list.check_cursor(query.from)
        .map_err(query::beyond_the_end)?;
    let page = list
        .reader()
        .page(scope, query.filter, query.from, query.limit)
        .await
        .map_err(|error| api.broken(error))?;
    Ok(json(StatusCode::OK, &item::page(&page, caller.role)))
}

async fn one(State(api): State<Api>, headers: HeaderMap, id: Id) -> Result<Response, Problem> {
    let Allowed { caller, scope } = api.allow(&headers)?;
    let Path(id) = id?;
    let found = api.list()?.reader().find(scope, id).await;
    let letter = found
        .map_err(|error| api.broken(error))?
        .ok_or_else(absent)?;
    Ok(json(StatusCode::OK, &item::of(&letter, caller.role)))
}

async fn discard(State(api): State<Api>, headers: HeaderMap, id: Id) -> Result<Response, Problem> {
    let Path(id) = id?;
    api.take_off(&headers, &id, Action::Discard).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Also for a delivery whose endpoint was deleted meanwhile: the dispatcher
/// knows endpoints and drops it.
async fn resend(State(api): State<Api>, headers: HeaderMap, id: Id) -> Result<Response, Problem> {
    #[derive(Serialize)]
    struct Accepted<'a> {
        id: &'a str,
    }
    let Path(id) = id?;
    api.take_off(&headers, &id, Action::Resend).await?;
    Ok(json(StatusCode::ACCEPTED, &Accepted { id: &id }))
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("texts, numbers and checked JSON serialise");
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
