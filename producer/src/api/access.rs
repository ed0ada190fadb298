//! Who may post, and from which web pages.

use axum::http::{HeaderMap, header};
use service::problem::Problem;
use service::tokens::{Caller, Role, Tokens, bearer};

use super::media::Media;

/// The caller of a request with this `?key=`, if there was one.
///
/// # Errors
/// 401 without a usable token, 403 for a role or an origin that may not.
pub(crate) fn caller(
    tokens: &Tokens,
    headers: &HeaderMap,
    key: Option<&str>,
    media: Media,
) -> Result<Caller, Problem> {
    let caller = match key {
        None => tokens.require(bearer(headers), &[Role::Account, Role::Ingest])?,
        Some(_) if media != Media::Text => {
            return Err(key_beside_other_type());
        }
        // Other tokens would stand in the logs of every proxy on the way.
        Some(key) => tokens.require(Some(key), &[Role::Ingest])?,
    };
    match caller.role {
        Role::Ingest => check_origin(&caller, headers)?,
        Role::Account | Role::Operator => {}
    }
    Ok(caller)
}

/// An ingest token stands in the open, so it is bound to the shop's origins;
/// one without origins is for what is no web page. This does not stop who sends
/// requests without a browser: the rate does.
fn check_origin(caller: &Caller, headers: &HeaderMap) -> Result<(), Problem> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (origin, further) = (origins.next(), origins.next());
    let found = match origin.map(|origin| origin.to_str().unwrap_or("(not ASCII)")) {
        None if caller.origins.is_empty() => return Ok(()),
        None => "no Origin header".to_owned(),
        Some(origin) if further.is_none() && caller.origins.iter().any(|it| it == origin) => {
            return Ok(());
        }
        Some(origin) => format!("Origin: {}", origin.chars().take(200).collect::<String>()),
    };
    let allowed = if caller.origins.is_empty() {
        "no Origin header, because the token has no origins"
    } else {
        "one of the token's origins"
    };
    Err(wrong_origin(&caller.token_id, &found, allowed))
}

fn key_beside_other_type() -> Problem {
    Problem::unauthorized(
        "a token in ?key= is taken with Content-Type: text/plain only, as navigator.sendBeacon \
         sends it; here it is needed as Authorization: Bearer <token>",
    )
}

fn wrong_origin(token_id: &str, found: &str, allowed: &str) -> Problem {
    Problem::forbidden(format!(
        "the ingest token {token_id} may not be used from here: found {found}, allowed is \
         {allowed} (auth.tokens, origins)",
    ))
}

/// The refusals of [`caller`] beside those of its token's role, for documents.
pub(crate) fn refusals() -> [Problem; 2] {
    let found = "Origin: https://elsewhere.example";
    [
        key_beside_other_type(),
        wrong_origin("widget", found, "one of the token's origins"),
    ]
}
