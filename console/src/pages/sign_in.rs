//! Sign in with a token, and out.

use std::time::Instant;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use domain::Timestamp;

use crate::web::{
    Context, Form, Notice, Page, Pages, Query, SESSION_LIFETIME, Session, Shell, html, own_page,
    see_other, with_cookie,
};

/// Bytes of a token that may be tried.
const MAX_TOKEN: usize = 512;
/// Where a sign-in leads that was wanted for no page.
const HOME: &str = "/overview";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    shell: Shell,
    next: String,
    error: Option<String>,
}

pub(super) async fn show(context: Context, Query(query): Query) -> Page {
    let next = own_page(query.text("next"));
    if context.is_signed_in() {
        return Ok(see_other(next.unwrap_or(HOME)));
    }
    page(&context, next, None)
}

pub(super) async fn sign_in(State(pages): State<Pages>, context: Context, form: Form) -> Page {
    let t = &context.language().messages().sign_in;
    let next = own_page(form.text("next"));
    let (client, now) = (context.client(), Instant::now());
    if let Err(wait) = pages.limit().check(client, now) {
        let seconds = wait.as_secs() + 1;
        let mut response = page(&context, next, Some(t.too_many(seconds)))?;
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
        return Ok(response);
    }
    let token = form.text("token").trim();
    let who = if token.len() > MAX_TOKEN {
        None
    } else {
        pages.who(token)
    };
    let (status, error) = match who {
        Some(Ok(actor)) => {
            tracing::info!(token = actor.token, "somebody has signed in");
            let session = Session::begin(token.to_owned(), Timestamp::now());
            let sealed = pages.sessions().seal(&session);
            let cookie = context.jar().set("session", &sealed, SESSION_LIFETIME);
            return Ok(with_cookie(see_other(next.unwrap_or(HOME)), cookie));
        }
        Some(Err(_)) => (StatusCode::FORBIDDEN, t.ingest_only.to_owned()),
        None if token.is_empty() => (StatusCode::UNPROCESSABLE_ENTITY, t.missing.to_owned()),
        None => {
            pages.limit().count(client, now);
            (StatusCode::UNAUTHORIZED, t.unknown.to_owned())
        }
    };
    let mut response = page(&context, next, Some(error))?;
    *response.status_mut() = status;
    Ok(response)
}

pub(super) async fn sign_out(context: Context) -> Response {
    let jar = context.jar();
    let notice = Notice::SignedOut.cookie(jar);
    let response = with_cookie(see_other("/sign-in"), jar.remove("session"));
    with_cookie(response, notice)
}

fn page(context: &Context, next: Option<&str>, error: Option<String>) -> Page {
    html(&SignInPage {
        shell: context.shell(None).back_to("/sign-in"),
        next: next.unwrap_or_default().to_owned(),
        error,
    })
}
