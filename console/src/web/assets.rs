//! Styles, the script and the icon: embedded, packed at build time, and kept by
//! browsers for ever, because another version has another URL.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Failure;

/// One file of `assets/`.
#[derive(Debug)]
pub(crate) struct Asset {
    name: &'static str,
    /// The name with the hash in it, as in its URL.
    file: &'static str,
    content_type: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The URL of `assets/<name>`.
///
/// # Panics
/// When there is no such file, which every page would show.
pub(crate) fn url(name: &str) -> String {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    let asset = asset.unwrap_or_else(|| panic!("assets/{name} is not embedded"));
    format!("/assets/{}", asset.file)
}

/// `GET /assets/{file}`.
pub(crate) async fn serve(
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let asset = ASSETS.iter().find(|asset| asset.file == file);
    let asset = asset.ok_or(Failure::NotFound)?;
    let always = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::VARY, "accept-encoding"),
    ];
    if takes_gzip(&headers) {
        let packed = [(header::CONTENT_ENCODING, "gzip")];
        return Ok((StatusCode::OK, always, packed, asset.gzip).into_response());
    }
    Ok((StatusCode::OK, always, asset.plain).into_response())
}

pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let fields = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','));
    codings.any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = quality.trim().trim_start_matches("q=").parse() == Ok(0.0_f32);
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}
