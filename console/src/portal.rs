//! The developer portal: the documents under `api/` as files, and the API's as pages. They
//! are the same for everybody, signed in or not, and hold nothing of anybody.

mod document;
mod operation;
mod schema;
// Templates name its spans.
pub(crate) mod text;

use askama::Template;
use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::web::{Context, Failure, Named, Page, Section, Shell, html};

use document::Group;
use operation::OperationPage;
use schema::TypePage;
use text::Paragraph;

const OPENAPI: &str = include_str!("../../api/openapi.json");
const POSTMAN: &str = include_str!("../../api/postman.json");
const ASYNCAPI: &str = include_str!("../../api/asyncapi.json");

/// The routes of the documents.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/openapi.json", get(async || json(OPENAPI)))
        .route("/postman.json", get(async || json(POSTMAN)))
        .route("/asyncapi.json", get(async || json(ASYNCAPI)))
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
pub(crate) async fn show_operation(context: Context, Named(id): Named<String>) -> Page {
    let page = OperationPage::of(&id, context.shell(Some(Section::Api)));
    html(&page.ok_or(Failure::NotFound)?)
}

/// One type.
pub(crate) async fn show_type(context: Context, Named(name): Named<String>) -> Page {
    let page = TypePage::of(&name, context.shell(Some(Section::Api)));
    html(&page.ok_or(Failure::NotFound)?)
}

fn json(document: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // As it is called, and asked for again after an update.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, document).into_response()
}
