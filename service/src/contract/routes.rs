//! Routes that cannot be had without their description.

use std::fmt;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, on};

use super::Operation;

/// Fills in what an operation is.
pub type Describe = fn(Operation) -> Operation;

/// The routes of an API.
pub struct Routes<S = ()> {
    router: Router<S>,
    described: Vec<(Method, &'static str, Describe)>,
}

impl<S> fmt::Debug for Routes<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = self
            .described
            .iter()
            .map(|(method, path, _)| (method, path));
        f.debug_list().entries(routes).finish()
    }
}

macro_rules! method {
    ($name:ident, $method:ident) => {
        #[doc = concat!("`", stringify!($method), "` on a path.")]
        #[must_use]
        pub fn $name<H, T>(self, path: &'static str, handler: H, describe: Describe) -> Self
        where
            H: Handler<T, S>,
            T: 'static,
        {
            let (method, filter) = (Method::$method, MethodFilter::$method);
            self.on(method, filter, path, handler, describe)
        }
    };
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            router: Router::new(),
            described: Vec::new(),
        }
    }

    method!(get, GET);
    method!(post, POST);
    method!(patch, PATCH);
    method!(delete, DELETE);
    method!(options, OPTIONS);

    fn on<H, T>(
        mut self,
        method: Method,
        filter: MethodFilter,
        path: &'static str,
        handler: H,
        describe: Describe,
    ) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.router = self.router.route(path, on(filter, handler));
        self.described.push((method, path, describe));
        self
    }

    /// What is routed.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        let describe = |(method, path, describe): &(Method, &'static str, Describe)| {
            describe(Operation::new(method.clone(), path))
        };
        self.described.iter().map(describe).collect()
    }

    /// To be served.
    pub fn into_router(self) -> Router<S> {
        self.router
    }
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self::new()
    }
}
