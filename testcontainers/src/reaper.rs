//! One small process that outlives the tests and clears up after them.
//!
//! `Drop` does not run for what is shared by all tests of a process, nor after
//! a SIGKILL. The reaper reads from a pipe that closes in every case.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

static REAPER: OnceLock<Mutex<Child>> = OnceLock::new();

fn order(line: &str) {
    let reaper = REAPER.get_or_init(|| {
        let child = Command::new("sh")
            .args(["-c", include_str!("reaper.sh")])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C in a terminal reaches the whole group of the tests.
            .process_group(0)
            .spawn();
        Mutex::new(child.expect("`sh` starts"))
    });
    let mut reaper = reaper.lock().expect("no one panics while writing");
    let pipe = reaper.stdin.as_mut().expect("the pipe was asked for");
    writeln!(pipe, "{line}").expect("the reaper reads until this process ends");
}

/// Has the process killed when this test process ends.
pub(crate) fn kill_at_end(pid: u32) {
    order(&format!("pid {pid}"));
}

/// Takes [`kill_at_end`] back: call it once the process has been waited for,
/// as the number may be given to another one.
pub(crate) fn has_ended(pid: u32) {
    order(&format!("gone {pid}"));
}

/// Has the container removed when this test process ends.
pub(crate) fn remove_container_at_end(id: &str) {
    order(&format!("container {id}"));
}

/// A folder for one test, removed when dropped and at the latest when the
/// test process ends.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes an empty folder below the system's folder for temporary files.
    #[must_use]
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("e2e-{}", crate::random_hex(16)));
        order(&format!("folder {}", path.display()));
        std::fs::create_dir(&path).expect("a folder can be made for temporary files");
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("the test's own folder takes a file");
        path
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the reaper.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
