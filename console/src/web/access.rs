//! Who may see a page. Each route says it; none has a default.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};

use super::Pages;

/// Who may see a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Whoever is signed in; it shows what their token reaches.
    SignedIn,
    /// Whoever is signed in and reaches the endpoint that the path names. For
    /// others there is no such endpoint.
    Endpoint,
    /// The same of the delivery that the path names.
    Delivery,
    /// The same of the entry of the failed list that the path names.
    Failed,
    /// The same of the bulk job that the path names.
    Job,
}

/// One route.
#[derive(Debug)]
pub(crate) struct PageRoute {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) handler: MethodRouter<Pages>,
}

impl PageRoute {
    /// A page to look at.
    pub(crate) fn get<T: 'static>(
        path: &'static str,
        access: Access,
        handler: impl Handler<T, Pages>,
    ) -> Self {
        Self {
            method: Method::GET,
            path,
            access,
            handler: get(handler),
        }
    }

    /// Something to do, by a form.
    pub(crate) fn post<T: 'static>(
        path: &'static str,
        access: Access,
        handler: impl Handler<T, Pages>,
    ) -> Self {
        Self {
            method: Method::POST,
            path,
            access,
            handler: post(handler),
        }
    }
}
