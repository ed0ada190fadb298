//! What the API promises: a description of each route, made of what its handler reads,
//! answers and refuses.

pub(super) mod deliveries;
pub(super) mod failed;
pub(super) mod resends;

use axum::http::StatusCode;
use kafka::MoveError;
use schemars::JsonSchema;
use service::contract::{Operation, Parameter};
use service::problem::{ABOUT_BLANK, Problem};
use service::tokens::Role;

use super::{not_ready, not_written, unreadable};

/// A delivery of examples.
const DELIVERY: &str = "evt_0190bf5ce3807a6b9d2c8f3a2c91e047.ep_4f0c1e9a7d2b43f58a6e90c3b7d15f28";
/// What later requests take of a delivery.
const DELIVERY_ID: &str = "delivery_id";
/// Its endpoint.
const ENDPOINT: &str = "ep_4f0c1e9a7d2b43f58a6e90c3b7d15f28";

/// Everything here is for an account's token, or for an operator's, and answered once the
/// list was read.
fn from_list(operation: Operation) -> Operation {
    operation
        .bearer(&[Role::Account, Role::Operator])
        .refuses(not_ready())
        .refuses(unreadable())
}

/// It is about one thing, by its id.
fn of_one<T: JsonSchema>(
    operation: Operation,
    what: &str,
    example: &str,
    kept: &'static str,
) -> Operation {
    let id = Parameter::path::<T>("id", what);
    from_list(operation)
        .takes(id.example(example).kept_as(kept))
        .refuses(Problem::new(
            StatusCode::BAD_REQUEST,
            ABOUT_BLANK,
            "Invalid URL: Invalid UTF-8 in `id`",
        ))
}

/// It moves entries, or writes a job, in a transaction.
fn moves(operation: Operation) -> Operation {
    operation
        .refuses(not_written(&MoveError::Busy))
        .refuses(not_written(&MoveError::Unknown(String::new())))
        .refuses(not_written(&MoveError::Refused(String::new())))
}
