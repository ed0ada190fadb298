//! What the documents under `api/` promise is what the running system does.

mod answers;
mod fits;
mod newman;
mod openapi;
mod portal;
mod refusals;
mod topics;

use std::path::{Path, PathBuf};

/// A document as it is committed.
fn document(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../api")
        .join(name)
}

#[tokio::test]
async fn the_documents_pass_a_linter() {
    let paths = ["openapi.json", "asyncapi.json"].map(|name| document(name).display().to_string());
    let lint = e2e::node("node/lint.mjs", &paths.each_ref().map(String::as_str)).await;
    assert_eq!(lint.code, Some(0), "{}", lint.told());
}
