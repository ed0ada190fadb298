//! The pages: one file each, and the table of all routes with who may see what.
//! They decide nothing that `endpoints`, `audit` and `test_event` do not.

mod audit;
mod changes;
mod choice;
mod chosen;
mod confirm;
mod deliveries;
mod delivery;
mod diagnosis;
mod endpoint;
mod endpoints;
mod events;
mod failed;
mod outcomes;
mod overview;
mod preferences;
mod retry_policy;
mod sign_in;
mod waiting;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use service::problem;

use crate::portal;
use crate::requests;
use crate::web::{self, Access, Failure, PageRoute, Pages, frame, guard};

/// All routes of pages. What is not here is not served.
fn table() -> Vec<PageRoute> {
    use Access::{Delivery, Endpoint, Failed, Job, Open, SignedIn};
    vec![
        PageRoute::get("/assets/{file}", Open, web::serve_asset),
        PageRoute::get("/sign-in", Open, sign_in::show),
        PageRoute::post("/sign-in", Open, sign_in::sign_in),
        PageRoute::post("/sign-out", SignedIn, sign_in::sign_out),
        PageRoute::post("/preferences", Open, preferences::change),
        PageRoute::get("/", SignedIn, overview::home),
        PageRoute::get("/overview", SignedIn, overview::show),
        PageRoute::get("/changes", SignedIn, changes::follow),
        PageRoute::get("/settings/webhooks", SignedIn, endpoints::to_list),
        PageRoute::get("/endpoints", SignedIn, endpoints::list),
        PageRoute::get("/endpoints/new", SignedIn, endpoint::add),
        PageRoute::post("/endpoints/new", SignedIn, endpoint::create),
        PageRoute::get("/endpoints/test", SignedIn, endpoint::to_new),
        PageRoute::post("/endpoints/test", SignedIn, endpoint::test_draft),
        PageRoute::get("/endpoints/{id}", Endpoint, endpoint::details),
        PageRoute::get("/endpoints/{id}/edit", Endpoint, endpoint::edit),
        PageRoute::post("/endpoints/{id}/edit", Endpoint, endpoint::change),
        PageRoute::get("/endpoints/{id}/test", Endpoint, endpoint::test),
        PageRoute::post("/endpoints/{id}/test", Endpoint, endpoint::send_test),
        PageRoute::post("/endpoints/{id}/pause", Endpoint, endpoint::pause),
        PageRoute::post("/endpoints/{id}/resume", Endpoint, endpoint::resume),
        PageRoute::get("/endpoints/{id}/secret", Endpoint, endpoint::hidden),
        PageRoute::post("/endpoints/{id}/secret", Endpoint, endpoint::reveal),
        PageRoute::get("/endpoints/{id}/rotate", Endpoint, endpoint::ask_rotate),
        PageRoute::post("/endpoints/{id}/rotate", Endpoint, endpoint::rotate),
        PageRoute::get("/endpoints/{id}/delete", Endpoint, endpoint::ask_delete),
        PageRoute::post("/endpoints/{id}/delete", Endpoint, endpoint::delete),
        PageRoute::get("/deliveries", SignedIn, deliveries::list),
        PageRoute::get("/deliveries/{id}", Delivery, delivery::show),
        PageRoute::post("/deliveries/{id}/resend", Delivery, delivery::resend),
        PageRoute::get("/failed", SignedIn, failed::list),
        PageRoute::get("/failed/export", SignedIn, failed::export),
        PageRoute::get("/failed/ask", SignedIn, failed::to_list),
        PageRoute::post("/failed/ask", SignedIn, failed::ask),
        PageRoute::get("/failed/{id}", Failed, failed::show),
        PageRoute::post("/failed/{id}/resend", Failed, failed::resend),
        PageRoute::get("/failed/{id}/discard", Failed, failed::ask_discard),
        PageRoute::post("/failed/{id}/discard", Failed, failed::discard),
        PageRoute::post("/resends", SignedIn, failed::start),
        PageRoute::get("/resends/{id}", Job, failed::job),
        PageRoute::post("/resends/{id}/cancel", Job, failed::cancel),
        PageRoute::get("/settings/retry", SignedIn, retry_policy::show),
        PageRoute::get("/settings/audit", SignedIn, audit::list),
        PageRoute::get("/events", SignedIn, events::show),
        PageRoute::get("/api", Open, portal::index),
        PageRoute::get("/api/operations/{operation}", Open, portal::show_operation),
        PageRoute::get("/api/types/{type}", Open, portal::show_type),
    ]
}

/// One route, for those who check that each is guarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInfo {
    /// `GET` or `POST`.
    pub method: String,
    /// Its path, `{id}` where it names something.
    pub path: &'static str,
    /// Who may see it.
    pub access: Access,
}

/// All routes of pages.
#[must_use]
pub fn page_routes() -> Vec<RouteInfo> {
    let info = |route: PageRoute| RouteInfo {
        method: route.method.to_string(),
        path: route.path,
        access: route.access,
    };
    table().into_iter().map(info).collect()
}

/// The routes, and the answer to what is on none.
pub(crate) fn routes(pages: Pages) -> Router {
    let count = from_fn_with_state(pages.shared().metrics.clone(), requests::count);
    let around = from_fn_with_state(pages.clone(), frame);
    let mut router = Router::new();
    for route in table() {
        let guarded = from_fn_with_state((pages.clone(), route.access), guard);
        router = router.route(route.path, route.handler.layer(guarded));
    }
    router
        .method_not_allowed_fallback(async || Failure::MethodNotAllowed)
        .route_layer(count)
        .fallback(async || Failure::NotFound)
        .layer(around)
        .layer(from_fn(for_programs))
        .with_state(pages)
}

/// What is no page, for a client that is no browser: a problem document.
async fn for_programs(request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    let accept = request.headers().get(header::ACCEPT);
    let accept = accept.and_then(|accept| accept.to_str().ok());
    let is_browser = accept.is_some_and(|accept| accept.contains("text/html"));
    let is_program = uri.path().starts_with("/api/v") || !is_browser;
    let response = next.run(request).await;
    if response.status() == StatusCode::NOT_FOUND && is_program {
        return problem::unknown_route(uri).await.into_response();
    }
    response
}
