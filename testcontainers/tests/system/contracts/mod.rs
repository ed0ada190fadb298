//! What the documents under `api/` promise is what the running system does.

mod answers;
mod fits;
mod newman;
mod openapi;
mod portal;
mod refusals;
mod topics;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A document as it is committed.
fn document(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../api")
        .join(name)
}

/// Runs a script of `testcontainers/node`.
fn node(script: &str, arguments: &[&str]) -> Output {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
    assert!(
        folder.join("node_modules").exists(),
        "run `testcontainers/setup.sh test` first"
    );
    let run = Command::new("node")
        .arg(folder.join(script))
        .args(arguments)
        .output();
    run.unwrap_or_else(|error| panic!("node: {error}"))
}

#[test]
fn the_documents_pass_a_linter() {
    let paths = ["openapi.json", "asyncapi.json"].map(|name| document(name).display().to_string());
    let lint = node("lint.mjs", &paths.each_ref().map(String::as_str));
    let (out, told) = (&lint.stdout, String::from_utf8_lossy(&lint.stderr));
    assert!(
        lint.status.success(),
        "{told}{}",
        String::from_utf8_lossy(out)
    );
}
