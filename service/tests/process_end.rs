//! Signals and exit codes. The signal tests run this test binary once more as the process
//! that is signalled.

use std::error::Error;
use std::fmt;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};

use service::exit;
use service::settings::SettingsError;

#[derive(Debug)]
struct Outer(SettingsError);

impl fmt::Display for Outer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the dispatcher cannot start")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn wrong_settings_exit_64_with_the_whole_chain_told() {
    let error = Outer(SettingsError::new("limits.global", 0, "1 or more"));
    let mut told = Vec::new();
    assert_eq!(exit::print(&error, &mut told), 64);
    assert_eq!(
        String::from_utf8(told).unwrap(),
        "error: the dispatcher cannot start\n  caused by: limits.global: found 0; allowed: 1 or \
         more. Set it in a --config file or by FEEDBACKPRO__LIMITS__GLOBAL.\n"
    );
    assert_eq!(exit::print(&fmt::Error, &mut Vec::new()), 1);
}

const ROLE: &str = "SIGNALLED_PROCESS";

/// Not a test of its own: what the signalled process does.
#[tokio::test]
async fn the_signalled_process() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let (shutdown, _watch) = service::shutdown::on_signals().unwrap();
    say("watching");
    shutdown.cancelled().await;
    say("asked to stop");
    if role == "hangs" {
        std::future::pending::<()>().await;
    }
    std::process::exit(0);
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").expect("stdout");
    out.flush().expect("stdout");
}

struct Process {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Process {
    fn start(role: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", "the_signalled_process", "--nocapture"])
            .env(ROLE, role)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the process starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut process = Self { child, lines };
        process.says("watching");
        process
    }

    fn says(&mut self, text: &str) {
        let found = self.lines.any(|line| line.expect("text").contains(text));
        assert!(found, "the process ended without saying: {text}");
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .expect("the process starts");
        assert!(sent.success());
    }

    fn end(mut self) -> ExitStatus {
        self.child.wait().expect("an end")
    }
}

#[test]
fn the_first_signal_asks_to_stop() {
    for name in ["TERM", "INT"] {
        let mut process = Process::start("stops");
        process.signal(name);
        process.says("asked to stop");
        assert_eq!(process.end().code(), Some(0));
    }
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let mut process = Process::start("hangs");
        process.signal("TERM");
        process.says("asked to stop");
        process.signal(name);
        assert_eq!(process.end().code(), Some(code));
    }
}
