//! The developer portal: the documents under `api/` as files, and the API's as pages. They
//! are the same for everybody, signed in or not, and hold nothing of anybody.

mod document;
mod operation;
mod schema;
mod servers;
// Templates name its spans.
pub(crate) mod text;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::shared::Shared;
use crate::web::{Context, Failure, Named, Page, Pages, Section, Shell, html};

use document::Group;
use operation::OperationPage;
use schema::TypePage;
pub(crate) use servers::{PublicUrls, Servers};
use text::Paragraph;

const OPENAPI: &str = include_str!("../../api/openapi.json");
const POSTMAN: &str = include_str!("../../api/postman.json");
const ASYNCAPI: &str = include_str!("../../api/asyncapi.json");

/// The routes of the documents.
pub(crate) fn routes(shared: Arc<Shared>) -> Router {
    let mut router = Router::new();
    for (path, document) in [
        ("/openapi.json", OPENAPI),
        ("/postman.json", POSTMAN),
        ("/asyncapi.json", ASYNCAPI),
    ] {
        let serve = async move |State(shared): State<Arc<Shared>>, headers: HeaderMap| {
            json(Servers::of(&shared.public_urls, &headers).put_into(document))
        };
        router = router.route(path, get(serve));
    }
    router.with_state(shared)
}

#[derive(Template)]
#[template(path = "api.html")]
struct IndexPage {
    shell: Shell,
    title: &'static str,
    about: Vec<Paragraph>,
    groups: Vec<Group>,
    types: Vec<&'static str>,
}

/// All operations and types.
pub(crate) async fn index(context: Context) -> Page {
    html(&IndexPage {
        title: document::title(),
        about: document::about(),
        groups: document::groups(),
        types: document::types(),
        shell: context.shell(Some(Section::Api)),
    })
}

/// One operation.
pub(crate) async fn show_operation(
    State(pages): State<Pages>,
    context: Context,
    headers: HeaderMap,
    Named(id): Named<String>,
) -> Page {
    let servers = Servers::of(&pages.shared().public_urls, &headers);
    let page = OperationPage::of(&id, &servers, context.shell(Some(Section::Api)));
    html(&page.ok_or(Failure::NotFound)?)
}

/// One type.
pub(crate) async fn show_type(context: Context, Named(name): Named<String>) -> Page {
    let page = TypePage::of(&name, context.shell(Some(Section::Api)));
    html(&page.ok_or(Failure::NotFound)?)
}

fn json(document: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // As it is called, and asked for again after an update.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, document).into_response()
}
