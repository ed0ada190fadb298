//! Tests in a real browser: scripts for Node.js, below `testcontainers/browser`.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::reaper;

/// Runs one of these scripts with its arguments, to its end.
///
/// # Panics
/// When one of its tests fails, with what it printed; and when Node.js or the
/// script's packages are missing.
pub async fn browser(script: &str, arguments: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    assert!(
        folder.join("node_modules").is_dir(),
        "the browser tests' packages are missing: run `testcontainers/setup.sh test` first"
    );
    let child = Command::new("node")
        .arg(folder.join(script))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`node` starts");
    let pid = child.id();
    reaper::kill_at_end(pid);
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output()).await;
    reaper::has_ended(pid);
    let output = ended.expect("nothing panics").expect("a child ends");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{script}:\n{printed}");
}
