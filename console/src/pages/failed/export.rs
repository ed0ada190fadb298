//! All that matches, a line each, passed on as it arrives.

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse as _;

use super::filter_of;
use crate::web::{Page, Pages, Query, Signed};

pub(in crate::pages) async fn export(
    State(pages): State<Pages>,
    signed: Signed,
    Query(query): Query,
) -> Page {
    let filter = filter_of(&pages, &signed, &query)?;
    let failed = &pages.shared().failed;
    let lines = failed.export(signed.expose_token(), &filter).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"failed.ndjson\"",
        ),
    ];
    // Where dlq-consumer breaks off, so does this.
    let body = Body::from_stream(lines.bytes_stream());
    Ok((headers, body).into_response())
}
