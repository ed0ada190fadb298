//! Around every page: what is known of the request before, the page of a failure
//! and the headers after.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::{Failure, Pages, assets, packed, secure_headers};

pub(crate) async fn frame(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let context = pages.context(&parts);
    let is_shown = !is_for_script(&parts.headers);
    let is_packed = parts.method == Method::GET && assets::takes_gzip(&parts.headers);
    parts.extensions.insert(context.clone());
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = failure.page(&context);
    }
    // A notice is shown once; a script that asks for a part of a page leaves it.
    let is_page = response.headers().get(header::CONTENT_TYPE);
    let is_page = is_page.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page && is_shown && context.known().notice.is_some() {
        let (name, value) = context.jar().remove("notice");
        response.headers_mut().append(name, value);
    }
    if is_page && is_packed {
        response = packed::pack(response).await;
    }
    secure_headers::set(response.headers_mut());
    response
}

/// Whether a script of a page asks, by what browsers say of themselves.
pub(super) fn is_for_script(headers: &HeaderMap) -> bool {
    let purpose = headers.get("sec-fetch-dest");
    purpose.is_some_and(|purpose| purpose == "empty")
}
