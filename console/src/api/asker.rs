//! Who asks, and for which endpoint: the extractors that handlers begin with.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use domain::{AccountId, EndpointId};
use service::problem::Problem;
use service::settings::Role;
use service::tokens;

use super::Api;
use crate::endpoints::{Refusal, Scope};

/// A caller with the role `account` or `operator`.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) scope: Scope,
}

impl FromRequestParts<Api> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let allowed = [Role::Account, Role::Operator];
        let caller = tokens::require(&api.shared.tokens, &parts.headers, &allowed)?;
        let Some(account) = caller.account else {
            let scope = Scope::Every;
            return Ok(Self { scope });
        };
        // The settings' check and the type allow the same names.
        let account = account
            .parse()
            .map_err(|error| Problem::forbidden(format!("{error}")))?;
        Ok(Self {
            scope: Scope::Account(account),
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

impl Asker {
    /// Its own scope, narrowed to the account that a request names.
    ///
    /// # Errors
    /// 403 for the account of somebody else.
    pub(super) fn narrowed(self, named: Option<AccountId>) -> Result<Scope, Problem> {
        match (self.scope, named) {
            (scope, None) => Ok(scope),
            (Scope::Account(own), Some(named)) if own != named => Err(Problem::forbidden(format!(
                "the token is one of the account {own} and does not reach {named}"
            ))),
            (Scope::Account(_) | Scope::Every, Some(named)) => Ok(Scope::Account(named)),
        }
    }
}
