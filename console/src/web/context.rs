//! What is known of a request before its handler sees it.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use domain::{AccountId, Timestamp};

use super::{Errors, Failure, Form, Jar, Language, Notice, Pages, Section, Session, Shell, Theme};
use crate::actor::{Actor, Scope};

/// What is known of a request. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Context(Arc<Known>);

#[derive(Debug)]
pub(super) struct Known {
    pub(super) language: Language,
    pub(super) theme: Theme,
    /// Path and query of a page that was looked at; of a form nothing.
    pub(super) page: Option<String>,
    pub(super) jar: Jar,
    pub(super) client: IpAddr,
    pub(super) visitor: Option<Visitor>,
    /// Whether there is the cookie of a session, also of one that has ended.
    pub(super) had_session: bool,
    pub(super) notice: Option<Notice>,
}

/// Somebody who is signed in.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) by: Actor,
    pub(super) session: Session,
}

impl Context {
    pub(super) fn new(known: Known) -> Self {
        Self(Arc::new(known))
    }

    /// Path and query, of a request that only looks.
    pub(super) fn page_of(method: &Method, uri: &Uri) -> Option<String> {
        let path = uri.path_and_query().map(|path| path.as_str().to_owned());
        path.filter(|_| method == Method::GET)
    }

    pub(super) fn known(&self) -> &Known {
        &self.0
    }

    pub(crate) fn language(&self) -> Language {
        self.0.language
    }

    /// How cookies are set.
    pub(crate) fn jar(&self) -> Jar {
        self.0.jar
    }

    /// Where the request comes from.
    pub(crate) fn client(&self) -> IpAddr {
        self.0.client
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        self.0.visitor.is_some()
    }

    /// The frame of a page.
    pub(crate) fn shell(&self, section: Option<Section>) -> Shell {
        Shell::new(&self.0, section, Timestamp::now())
    }
}

impl FromRequestParts<Pages> for Context {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Infallible> {
        let known = parts.extensions.get::<Self>().cloned();
        Ok(known.unwrap_or_else(|| pages.context(parts)))
    }
}

/// Somebody who is signed in, and what for.
pub(crate) struct Signed {
    pub(crate) by: Actor,
    token: String,
    context: Context,
}

impl Signed {
    /// Their bearer token, for dlq-consumer and nobody else.
    pub(crate) fn expose_token(&self) -> &str {
        &self.token
    }

    /// Whether all accounts are theirs to see.
    pub(crate) fn is_operator(&self) -> bool {
        self.by.scope == Scope::Every
    }

    /// What a page shows whose URL may name an account; nothing names none. What can
    /// be no account's name is said in `errors`.
    ///
    /// # Errors
    /// [`Failure::OtherAccount`]
    pub(crate) fn scope_of(&self, query: &Form, errors: &mut Errors) -> Result<Scope, Failure> {
        let named = match query.text("account").trim() {
            "" => None,
            account => match account.parse() {
                Ok(account) => Some(account),
                Err(_) if self.is_operator() => {
                    let t = self.language().messages();
                    errors.add("account", t.form_error.account_missing);
                    None
                }
                Err(_) => return Err(Failure::OtherAccount),
            },
        };
        Ok(self.by.narrowed(named)?)
    }

    /// The account that an operator looks at alone.
    pub(crate) fn account_of(&self, scope: &Scope) -> Option<AccountId> {
        match scope {
            Scope::Account(account) if self.is_operator() => Some(account.clone()),
            Scope::Account(_) | Scope::Every => None,
        }
    }

    pub(crate) fn language(&self) -> Language {
        self.context.language()
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// The frame of a page.
    pub(crate) fn shell(&self, section: Section) -> Shell {
        self.context.shell(Some(section))
    }
}

impl std::fmt::Debug for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signed")
            .field("by", &self.by)
            .finish_non_exhaustive()
    }
}

impl FromRequestParts<Pages> for Signed {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Failure> {
        let context = match Context::from_request_parts(parts, pages).await {
            Ok(context) => context,
            Err(never) => match never {},
        };
        // `guard` has turned everybody else away.
        let visitor = context.0.visitor.as_ref().ok_or(Failure::Internal)?;
        Ok(Self {
            by: visitor.by.clone(),
            token: visitor.session.expose_token().to_owned(),
            context: context.clone(),
        })
    }
}
