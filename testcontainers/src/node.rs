//! Scripts for Node.js: tests in a real browser, and tools of others.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::command::{Finished, finish};

/// For a whole script. How long each page of a browser test may take stands in
/// `browser/browser.mjs`.
const DEADLINE: Duration = Duration::from_secs(600);

/// Runs a script below `testcontainers/`, such as `node/lint.mjs`, to its end.
///
/// # Panics
/// When Node.js or the script's packages are missing, and when it does not end.
pub async fn node(script: &str, arguments: &[&str]) -> Finished {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = root.join(script);
    let mut folders = script.ancestors().take_while(|it| *it != root);
    assert!(
        folders.any(|folder| folder.join("node_modules").is_dir()),
        "the packages of {} are missing: run `testcontainers/setup.sh test` first",
        script.display()
    );
    let mut command = Command::new("node");
    command.arg(script).args(arguments).stdin(Stdio::null());
    finish(&mut command, DEADLINE).await
}

/// Runs a script of `testcontainers/browser` to its end.
///
/// # Panics
/// When one of its tests fails, with what it printed; and as [`node`].
pub async fn browser(script: &str, arguments: &[&str]) {
    let ended = node(&format!("browser/{script}"), arguments).await;
    assert_eq!(ended.code, Some(0), "{script}:\n{}", ended.told());
}
