//! `GET /changes`: tells a page that is open that it is to be asked for again.

use axum::extract::State;
use axum::http::{StatusCode, header};

use crate::change_stream::{self, TooMany};
use crate::web::{Failure, Page, Pages, Signed};

pub(super) async fn follow(State(pages): State<Pages>, signed: Signed) -> Page {
    let followed = change_stream::follow(pages.shared(), signed.by.scope);
    // The script asks once a minute without it, too.
    let mut told = followed.map_err(|TooMany| Failure::Status(StatusCode::SERVICE_UNAVAILABLE))?;
    // Those of every page, which forbid more than events have by themselves.
    told.headers_mut().remove(header::CACHE_CONTROL);
    Ok(told)
}
