//! Who asks, and for which endpoint: the extractors that handlers begin with.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use domain::EndpointId;
use service::problem::Problem;
use service::settings::Role;
use service::tokens;

use super::Api;
use crate::actor::{Actor, Scope};
use crate::endpoints::Refusal;

/// A caller with the role `account` or `operator`.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) by: Actor,
}

impl FromRequestParts<Api> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let allowed = [Role::Account, Role::Operator];
        let caller = tokens::require(&api.shared.tokens, &parts.headers, &allowed)?;
        let scope = match caller.account {
            None => Scope::Every,
            // The settings' check and the type allow the same names.
            Some(account) => Scope::Account(
                account
                    .parse()
                    .map_err(|error| Problem::forbidden(format!("{error}")))?,
            ),
        };
        let token = caller.token_id;
        Ok(Self {
            by: Actor { scope, token },
        })
    }
}

/// The endpoint that the path names. What is no id is no endpoint either: 404.
#[derive(Debug)]
pub(super) struct Named(pub(super) EndpointId);

impl FromRequestParts<Api> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, api).await;
        path.ok()
            .and_then(|Path(id)| id.parse().ok())
            .map(Self)
            .ok_or_else(|| Refusal::NotFound.into())
    }
}
