//! Commands that run to their end.

use std::{
    fs::File,
    process::Command,
    time::{Duration, Instant},
};

use crate::{
    Folder, reaper,
    service::{TAIL_LINES, read_lossy, tail},
};

/// How a command ended.
#[derive(Debug)]
pub struct Finished {
    /// `None` after a signal.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// Both, for a message.
    #[must_use]
    pub fn told(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Runs a command to its end.
///
/// # Panics
/// When it does not start, or has not ended within `deadline`; it is killed then.
pub async fn finish(command: &mut Command, deadline: Duration) -> Finished {
    // Not pipes: whatever it starts and leaves behind would keep them open.
    let folder = Folder::new();
    let path = |name: &str| folder.path().join(name);
    let file = |name: &str| File::create(path(name)).expect("the folder takes a file");
    command.stdout(file("stdout")).stderr(file("stderr"));
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    reaper::kill_at_end(child.id());
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("one's own child can be waited for") {
            break Some(status);
        }
        if start.elapsed() > deadline {
            child.kill().expect("one's own child can be killed");
            child.wait().expect("a killed child ends");
            break None;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    reaper::has_ended(child.id());
    let finished = Finished {
        code: status.and_then(|status| status.code()),
        stdout: read_lossy(&path("stdout")),
        stderr: read_lossy(&path("stderr")),
    };
    assert!(
        status.is_some(),
        "{command:?} did not end in {deadline:?}:\n{}",
        tail(&finished.told(), TAIL_LINES)
    );
    finished
}
