//! What every page stands on. A page is a handler in `pages/`, a template in
//! `templates/` that extends `layout.html`, and a line in `pages::table`, which
//! says who may see it; its texts stand in `messages/`.
//!
//! A request goes through `frame` (language, theme, session, and afterwards the
//! headers and the page of a failure), then through `guard` (who may, and for a
//! form the defence against forged ones), then to its handler. Handlers see no
//! cookie and no request that `guard` has not let pass.

mod access;
mod address;
mod assets;
mod context;
mod cookies;
mod failure;
#[expect(unreachable_pub, reason = "the engine's macro makes public functions")]
pub(crate) mod filters;
mod form;
mod frame;
mod guard;
mod json;
mod language;
mod messages;
mod origin;
mod own_page;
mod packed;
mod paging;
mod secure_headers;
mod session;
mod shell;
mod sign_in_limit;
mod state;
mod visible;

pub use access::Access;
pub(crate) use access::PageRoute;
pub(crate) use address::Proxies;
pub(crate) use assets::serve as serve_asset;
pub(crate) use context::{Context, Signed};
pub(crate) use cookies::Jar;
pub(crate) use failure::{Failure, Page, html, searched, see_other, with_cookie};
pub(crate) use form::{Errors, Form, Query};
pub(crate) use frame::frame;
use frame::is_for_script;
pub(crate) use guard::guard;
pub(crate) use json::JsonView;
pub(crate) use language::{Language, Theme};
pub(crate) use messages::Messages;
pub(crate) use origin::own_origin;
pub(crate) use own_page::own_page;
pub(crate) use paging::Pager;
pub(crate) use session::{LIFETIME as SESSION_LIFETIME, Session, Sessions};
pub(crate) use shell::{Notice, Section, Shell};
pub(crate) use sign_in_limit::SignInLimit;
pub(crate) use state::{Named, Pages};
