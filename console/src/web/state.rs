//! What the handlers of pages share.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use domain::{EndpointId, Timestamp};
use service::settings::Role;

use super::context::{Known, Visitor};
use super::{
    Context, Failure, Jar, Language, Notice, Proxies, Session, Sessions, SignInLimit, Theme, origin,
};
use crate::actor::{Actor, Scope};
use crate::endpoints::Registry;
use crate::shared::Shared;

/// What the handlers of pages share. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Pages(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    sessions: Sessions,
    limit: SignInLimit,
    proxies: Proxies,
    plain_on_loopback: bool,
}

impl Pages {
    pub(crate) fn new(
        shared: Arc<Shared>,
        sessions: Sessions,
        proxies: Proxies,
        plain_on_loopback: bool,
    ) -> Self {
        let limit = SignInLimit::default();
        Self(Arc::new(Inner {
            shared,
            sessions,
            limit,
            proxies,
            plain_on_loopback,
        }))
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    pub(crate) fn registry(&self) -> Result<&Registry, Failure> {
        Ok(self.0.shared.registry()?)
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    pub(crate) fn limit(&self) -> &SignInLimit {
        &self.0.limit
    }

    /// Whom a token belongs to; `None` for an unknown one.
    ///
    /// # Errors
    /// The token is known, but its role opens no page.
    pub(crate) fn who(&self, token: &str) -> Option<Result<Actor, Role>> {
        let caller = self.0.shared.tokens.authenticate(token)?;
        let scope = match (caller.role, caller.account) {
            (Role::Operator, _) => Scope::Every,
            (Role::Account, Some(account)) => Scope::Account(account.parse().ok()?),
            (role @ (Role::Ingest | Role::Account), _) => return Some(Err(role)),
        };
        let token = caller.token_id;
        Some(Ok(Actor { scope, token }))
    }

    /// What is known of a request.
    pub(super) fn context(&self, parts: &Parts) -> Context {
        let headers = &parts.headers;
        // Without TLS only this machine gets cookies. That TLS is in front cannot
        // be seen here: a browser that has none throws `Secure` cookies away.
        let plain = self.0.plain_on_loopback && origin::is_loopback(headers);
        let jar = if plain { Jar::Plain } else { Jar::Secure };
        let cookie = |name| jar.get(headers, name);
        let language = cookie("language").and_then(Language::parse);
        Context::new(Known {
            language: language.unwrap_or_else(|| Language::accepted(headers)),
            theme: cookie("theme")
                .and_then(Theme::parse)
                .unwrap_or(Theme::System),
            page: Context::page_of(&parts.method, &parts.uri),
            jar,
            client: self.0.proxies.client(parts),
            had_session: cookie("session").is_some(),
            visitor: cookie("session").and_then(|cookie| self.visitor(cookie)),
            notice: cookie("notice").and_then(Notice::parse),
        })
    }

    fn visitor(&self, cookie: &str) -> Option<Visitor> {
        let session: Session = self.0.sessions.open(cookie, Timestamp::now())?;
        let by = self.who(session.expose_token())?.ok()?;
        Some(Visitor { by, session })
    }
}

/// What the path names. What is no id is nothing that is there either: 404.
#[derive(Debug)]
pub(crate) struct Named<T = EndpointId>(pub(crate) T);

impl<T: FromStr> FromRequestParts<Pages> for Named<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, pages).await;
        path.ok()
            .and_then(|Path(id)| id.parse().ok())
            .map(Self)
            .ok_or(Failure::NotFound)
    }
}
