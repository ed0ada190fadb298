//! What the API promises: a description of each route, made of what its handler reads,
//! answers and refuses.

pub(super) mod audit;
pub(super) mod deliveries;
pub(super) mod endpoints;
pub(super) mod lifecycle;
pub(super) mod retry_policy;
pub(super) mod statistics;
pub(super) mod test_events;

use delivery::{EXAMPLE_SECRET, EXAMPLE_URL};
use domain::EndpointId;
use serde_json::{Value, json};
use service::contract::{Operation, Parameter};
use service::tokens::Role;

use super::etag;
use crate::actor::NotForAccount;
use crate::attempts::AttemptsError;
use crate::endpoints::{Mistake, Refusal, Unavailable, Wrong};

/// The endpoint of all examples.
const ENDPOINT: &str = "ep_4f0c1e9a7d2b43f58a6e90c3b7d15f28";
/// A delivery of it.
const DELIVERY: &str = "evt_0190bf5ce3807a6b9d2c8f3a2c91e047.ep_4f0c1e9a7d2b43f58a6e90c3b7d15f28";
/// What later requests take of a delivery.
const DELIVERY_ID: &str = "delivery_id";
/// What later requests take of an endpoint that was made.
const ENDPOINT_ID: &str = "endpoint_id";

const ENDPOINTS: &str = "Endpoints";

/// Everything here is for an account's token, or for an operator's.
fn for_account_or_operator(operation: Operation) -> Operation {
    operation.bearer(&[Role::Account, Role::Operator])
}

/// Answered from the endpoint table.
fn from_table(operation: Operation) -> Operation {
    for_account_or_operator(operation).refuses(Unavailable::Loading)
}

/// Answered from the index of attempts.
fn from_index(operation: Operation) -> Operation {
    for_account_or_operator(operation).refuses(AttemptsError::Away)
}

/// It is about one endpoint.
fn of_one(operation: Operation) -> Operation {
    let id = Parameter::path::<EndpointId>("id", "The endpoint's id.");
    from_table(operation)
        .takes(id.example(ENDPOINT).kept_as(ENDPOINT_ID))
        .refuses(Refusal::NotFound)
}

/// It writes an endpoint's record.
fn writes(operation: Operation) -> Operation {
    operation
        .refuses(Unavailable::NotWritten)
        .refuses(Unavailable::NotReadBack)
}

/// It changes an endpoint, of the version that the caller knows.
fn changes(operation: Operation) -> Operation {
    let version = Parameter::header::<String>(
        "If-Match",
        "The ETag of the version that is to be changed; with another version by now it is 412. \
         Without it, or with `*`, any version is changed.",
    );
    writes(of_one(operation))
        .takes(version.example("\"1\""))
        .refuses(etag::malformed())
        .refuses(Refusal::VersionDiffers { current: 3 })
}

/// The URL is not one that is taken.
fn wrong_url() -> Refusal {
    Refusal::Invalid(vec![Mistake::new("$.url", Wrong::UrlMissing)])
}

/// The token must reach the account that is named.
fn out_of_reach() -> NotForAccount {
    let account = |name: &str| name.parse().expect("this is an account");
    NotForAccount::OutOfReach {
        own: account("shop"),
        named: account("another-shop"),
    }
}

/// An endpoint as answers show it.
fn endpoint() -> Value {
    json!({
        "id": ENDPOINT,
        "account": "shop",
        "url": EXAMPLE_URL,
        "events": ["rating_submitted", "nps_calculated"],
        "filter": [{"field": "score", "operator": "at_most", "value": 2}],
        "description": "Customer care",
        "headers": {"X-Shop": "north"},
        "max_per_second": 50,
        "state": "enabled",
        "created_at": "2024-06-15T14:32:00Z",
        "updated_at": "2024-06-15T14:32:00Z",
    })
}

/// The same right after a secret was made for it.
fn endpoint_with_secret() -> Value {
    let mut endpoint = endpoint();
    endpoint["secret"] = EXAMPLE_SECRET.into();
    endpoint
}
