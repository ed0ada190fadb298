//! Pages as gzip: lists are long and even.
//!
//! The size of a packed page tells a little of what is in it to whoever sees the
//! connection and can have somebody open pages of ours with texts of theirs
//! (BREACH). So the forms' token is another text on each page
//! ([`super::Session::form_token`]), each page is longer by some bytes of chance,
//! and answers to forms, which may show a signing secret, are not packed.

use std::io::{self, Write as _};

use axum::body::to_bytes;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use flate2::{Compression, GzBuilder};

use super::Failure;

/// Bytes of a page at most: payloads that are shown are shorter.
const LONGEST: usize = 64 * 1024 * 1024;
/// Shorter ones fit into one packet as they are.
const SHORTEST: usize = 1024;
/// More bytes of chance than this would cost without hiding more.
const CHANCE: usize = 64;

/// Packs a page.
pub(super) async fn pack(page: Response) -> Response {
    let (mut parts, body) = page.into_parts();
    let packed = match to_bytes(body, LONGEST).await {
        Ok(body) if body.len() < SHORTEST => return (parts, body).into_response(),
        Ok(body) => gzip(&body).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let packed = match packed {
        Ok(packed) => packed,
        Err(error) => {
            tracing::error!(error, "a page cannot be packed");
            return Failure::Internal.into_response();
        }
    };
    for (name, value) in [
        (header::CONTENT_ENCODING, "gzip"),
        (header::VARY, "accept-encoding"),
    ] {
        parts.headers.insert(name, HeaderValue::from_static(value));
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    (parts, packed).into_response()
}

/// With a file name of chance in its header, which nobody reads.
fn gzip(page: &[u8]) -> io::Result<Vec<u8>> {
    let mut random = [0];
    getrandom::fill(&mut random)?;
    let name = vec![b'-'; usize::from(random[0]) % CHANCE];
    let packed = Vec::with_capacity(page.len() / 4);
    let mut packer = GzBuilder::new()
        .filename(name)
        .write(packed, Compression::fast());
    packer.write_all(page)?;
    packer.finish()
}
