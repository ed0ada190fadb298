//! Cursors of the list: where the next page goes on. Opaque to clients.

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Timestamp;
use service::problem::{Problem, ProblemError};

use crate::endpoints::Place;

/// The cursor behind a place. It stays good when the endpoint there is deleted.
pub(super) fn behind(place: &Place) -> String {
    let Place {
        account,
        created_at,
        id,
    } = place;
    URL_SAFE_NO_PAD.encode(format!("{account}/{}/{id}", created_at.millis()))
}

/// The place of a cursor.
///
/// # Errors
/// 400 when it is none of ours.
pub(super) fn read(cursor: &str) -> Result<Place, Problem> {
    let place = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let mut parts = text.split('/');
        let place = Place {
            account: parts.next()?.parse().ok()?,
            created_at: Timestamp::from_millis(parts.next()?.parse().ok()?),
            id: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(place)
    };
    place().ok_or_else(|| {
        parameter(
            ProblemError::new("cursor", "it is no cursor of this list")
                .allowed("next_cursor of a page before, unchanged"),
        )
    })
}

/// 400 for a wrong query parameter.
pub(super) fn parameter(error: ProblemError) -> Problem {
    let detail = "a parameter of the query is wrong";
    Problem::new(StatusCode::BAD_REQUEST, "invalid-parameter", detail).with_error(error)
}
