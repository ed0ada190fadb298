//! The developer portal: the documents under `api/` as files, and the API's as pages. They
//! are the same for everybody and hold nothing of anybody.

mod document;
mod operation;
mod schema;
mod text;

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use service::problem::{ABOUT_BLANK, Problem};

use document::Group;
use operation::OperationPage;
use schema::TypePage;
use text::Paragraph;

const OPENAPI: &str = include_str!("../../api/openapi.json");
const POSTMAN: &str = include_str!("../../api/postman.json");
const ASYNCAPI: &str = include_str!("../../api/asyncapi.json");
const STYLE: &str = include_str!("../assets/api.css");

/// The pages are text and one style sheet: nothing runs, nothing comes from elsewhere.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The routes.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/openapi.json", get(async || json(OPENAPI)))
        .route("/postman.json", get(async || json(POSTMAN)))
        .route("/asyncapi.json", get(async || json(ASYNCAPI)))
        .route("/api", get(index))
        .route("/api/style.css", get(style))
        .route("/api/operations/{id}", get(show_operation))
        .route("/api/types/{name}", get(show_type))
}

#[derive(Template)]
#[template(path = "api.html")]
struct IndexPage {
    title: &'static str,
    about: Vec<Paragraph>,
    groups: Vec<Group>,
    types: Vec<&'static str>,
}

async fn index() -> Result<Response, Problem> {
    page(&IndexPage {
        title: document::title(),
        about: document::about(),
        groups: document::groups(),
        types: document::types(),
    })
}

async fn show_operation(Path(id): Path<String>) -> Result<Response, Problem> {
    page(&OperationPage::of(&id).ok_or_else(absent)?)
}

async fn show_type(Path(name): Path<String>) -> Result<Response, Problem> {
    page(&TypePage::of(&name).ok_or_else(absent)?)
}

fn absent() -> Problem {
    Problem::not_found("there is no such page: GET /api shows all")
}

fn page(template: &impl Template) -> Result<Response, Problem> {
    let html = template.render().map_err(|error| {
        tracing::error!(%error, "a page of the API cannot be shown");
        let why = "the page cannot be shown; the log of this server says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, ABOUT_BLANK, why)
    })?;
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    Ok((headers, plain(), Html(html)).into_response())
}

fn json(document: &'static str) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, plain(), document).into_response()
}

async fn style() -> Response {
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, plain(), STYLE).into_response()
}

/// As it is called, and asked for again after an update.
const fn plain() -> [(HeaderName, &'static str); 2] {
    [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ]
}
