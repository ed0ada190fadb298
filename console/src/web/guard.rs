//! Who may pass, and the two defences against forged forms: where the request
//! comes from, and the form token that only pages of the session hold. No handler
//! gets a form in another way.

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use service::body;

use super::{
    Access, Context, Failure, Form, Notice, Pages, is_for_script, origin, see_other, with_cookie,
};

/// Bytes of a form: more than any endpoint needs.
const MAX_FORM: usize = 128 * 1024;

pub(crate) async fn guard(
    State((pages, access)): State<(Pages, Access)>,
    request: Request,
    next: Next,
) -> Response {
    match checked(&pages, access, request).await {
        Ok(request) => next.run(request).await,
        Err(refused) => refused,
    }
}

async fn checked(pages: &Pages, access: Access, request: Request) -> Result<Request, Response> {
    let (mut parts, body) = request.into_parts();
    let context = parts.extensions.get::<Context>().cloned();
    let context = context.unwrap_or_else(|| pages.context(&parts));
    let visitor = context.known().visitor.as_ref();
    let is_form = parts.method == Method::POST;
    if is_form && !origin::is_own(&parts.headers) {
        return Err(Failure::Forged.into_response());
    }
    let needs_session = match access {
        Access::Open => false,
        Access::SignedIn | Access::Endpoint | Access::Delivery | Access::Failed | Access::Job => {
            true
        }
    };
    if needs_session && visitor.is_none() {
        let page = match context.known().page.as_deref() {
            Some(page) => Some(page),
            // What was typed stands in the browser, on the page that sent it.
            None => origin::own_referer(&parts.headers),
        };
        let response = to_sign_in(page);
        // Forms, and scripts that ask, stand on the pages of a session alone.
        let had_session = context.known().had_session || is_form || is_for_script(&parts.headers);
        return Err(if had_session {
            with_cookie(response, Notice::SessionEnded.cookie(context.jar()))
        } else {
            response
        });
    }
    if !is_form {
        return Ok(Request::from_parts(parts, body));
    }
    let bytes = body::read(body, MAX_FORM).await;
    let bytes = bytes.map_err(|problem| Failure::Status(problem.status).into_response())?;
    let form = Form::parse(&bytes);
    let given = form.text("form_token");
    if needs_session && visitor.is_none_or(|visitor| !visitor.session.has_form_token(given)) {
        return Err(Failure::Forged.into_response());
    }
    parts.extensions.insert(form);
    Ok(Request::from_parts(parts, axum::body::Body::empty()))
}

/// To the sign-in page, and from there back to the page that was wanted.
fn to_sign_in(page: Option<&str>) -> Response {
    match page {
        Some(page) => {
            let query = Form::default().query_with("next", page);
            see_other(&format!("/sign-in{query}"))
        }
        None => see_other("/sign-in"),
    }
}
