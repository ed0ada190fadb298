//! The real binaries as processes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::{
    Folder, Settings,
    command::{Finished, finish},
    reaper,
};

/// Where the binaries are; without it, beside the folder of the running test.
pub const FOLDER_VARIABLE: &str = "FEEDBACKPRO_BIN_DIR";
/// From the start of a process to `/readyz`: topics are made and tables read,
/// for all tests that run side by side.
const READY_DEADLINE: Duration = Duration::from_secs(60);
/// The end of a log that a failed test shows.
pub(crate) const TAIL_LINES: usize = 40;

/// A program of this workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    Producer,
    Dispatcher,
    DlqConsumer,
    Console,
}

impl Binary {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Producer,
        Self::Dispatcher,
        Self::DlqConsumer,
        Self::Console,
    ];

    /// Its file name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Dispatcher => "dispatcher",
            Self::DlqConsumer => "dlq-consumer",
            Self::Console => "console",
        }
    }

    /// Its file.
    ///
    /// # Panics
    /// When it has not been built.
    #[must_use]
    pub fn path(self) -> PathBuf {
        let folder = std::env::var_os(FOLDER_VARIABLE).map_or_else(
            || {
                // target/release/deps/<test> or target/release/bench -> target/release
                let program = std::env::current_exe().expect("a running program has a path");
                let folder = program.parent().expect("a file lies in a folder");
                match folder.parent() {
                    Some(above) if folder.ends_with("deps") => above.to_owned(),
                    Some(_) | None => folder.to_owned(),
                }
            },
            PathBuf::from,
        );
        let path = folder.join(self.name());
        assert!(
            path.is_file(),
            "{} is missing: run `cargo build --release --workspace` first, or set {FOLDER_VARIABLE}",
            path.display()
        );
        path
    }
}

/// What a process can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Stop cleanly.
    Term,
    /// End at once.
    Kill,
    /// Stand still.
    Stop,
    /// Go on.
    Cont,
}

/// A running binary. Killed when dropped; a failed test shows the end of its
/// log.
#[derive(Debug)]
pub struct Service {
    binary: Binary,
    settings: Settings,
    folder: Folder,
    child: Child,
    ended: Option<ExitStatus>,
    /// The only core it may run on.
    core: Option<usize>,
}

impl Service {
    /// Starts a binary and waits until it is ready.
    ///
    /// # Panics
    /// When it does not get ready within a minute.
    pub async fn start(binary: Binary, settings: Settings) -> Self {
        let mut service = Self::spawn(binary, settings);
        service.wait_ready().await;
        service
    }

    /// Starts a binary and does not wait.
    #[must_use]
    pub fn spawn(binary: Binary, settings: Settings) -> Self {
        let folder = Folder::new();
        folder.write("settings.toml", &settings.to_toml());
        let child = launch(binary, &folder, None);
        Self {
            binary,
            settings,
            folder,
            child,
            ended: None,
            core: None,
        }
    }

    /// Starts it again with the same settings and ports, after it has ended
    /// or by ending it by SIGKILL, and waits until it is ready.
    pub async fn restart(&mut self) {
        self.kill();
        self.child = launch(self.binary, &self.folder, self.core);
        self.ended = None;
        self.wait_ready().await;
    }

    /// Replaces the settings for the next [`Service::restart`].
    pub fn change(&mut self, change: impl FnOnce(Settings) -> Settings) {
        self.settings = change(self.settings.clone());
        self.folder.write("settings.toml", &self.settings.to_toml());
    }

    /// From the next [`Service::restart`] on it runs on this core alone (by
    /// `taskset`, of util-linux), numbered from 0.
    pub fn pin(&mut self, core: usize) {
        self.core = Some(core);
    }

    /// Waits until `/readyz` answers 200.
    ///
    /// # Panics
    /// When it does not within a minute, or when the process ends instead.
    pub async fn wait_ready(&mut self) {
        let start = Instant::now();
        let url = self.admin_url("/readyz");
        let client = crate::client::http();
        while !client
            .get(&url)
            .send()
            .await
            .is_ok_and(|answer| answer.status() == 200)
        {
            let name = self.binary.name();
            assert!(
                self.is_running(),
                "{name} ended ({:?}) before it was ready",
                self.ended
            );
            assert!(
                start.elapsed() < READY_DEADLINE,
                "{name} is not ready in {READY_DEADLINE:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The number of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that its process had so far, in bytes.
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn peak_memory(&self) -> usize {
        let status = read_lossy(Path::new(&format!("/proc/{}/status", self.pid())));
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<usize>().ok());
        kib.expect("a running process has a peak") * 1024
    }

    /// A path of its admin port: `/livez`, `/readyz` or `/metrics`.
    #[must_use]
    pub fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.settings.address("admin.listen"))
    }

    /// A path of its API. A dispatcher has none.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.settings.address("http.listen"))
    }

    /// The sum of a metric over all its labels; `None` when it is not there.
    ///
    /// # Panics
    /// When the process does not answer.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let answer = crate::client::http()
            .get(self.admin_url("/metrics"))
            .send()
            .await;
        let text = crate::client::read(answer.expect("the admin port answers"))
            .await
            .text();
        let values = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let exact = rest.starts_with(['{', ' ']);
            exact
                .then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())
                .flatten()
        });
        values.reduce(|sum, value| sum + value)
    }

    /// Sends a signal. A process that has ended gets none.
    pub fn signal(&self, signal: Signal) {
        let signal = match signal {
            Signal::Term => "TERM",
            Signal::Kill => "KILL",
            Signal::Stop => "STOP",
            Signal::Cont => "CONT",
        };
        // By the shell's built-in: minimal systems have no `kill` program.
        let command = format!("kill -s {signal} {}", self.pid());
        let status = Command::new("sh").args(["-c", &command]).status();
        assert!(status.expect("`sh` starts").success(), "{command} failed");
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self
                .child
                .try_wait()
                .expect("one's own child can be waited for");
            if self.ended.is_some() {
                reaper::has_ended(self.pid());
            }
        }
        self.ended.is_none()
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    /// When it has not within `deadline`.
    pub async fn wait_exit(&mut self, deadline: Duration) -> ExitStatus {
        let what = format!("the end of {}", self.binary.name());
        crate::until(&what, deadline, async || {
            self.is_running();
            self.ended
        })
        .await
    }

    /// Ends it by SIGKILL and waits for that.
    pub fn kill(&mut self) {
        if self.is_running() {
            self.child.kill().expect("one's own child can be killed");
            self.ended = Some(self.child.wait().expect("a killed child ends"));
            reaper::has_ended(self.pid());
        }
    }

    /// A path in the folder that the process runs in.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What it has logged, over all its starts.
    #[must_use]
    pub fn log(&self) -> String {
        read_lossy(&self.file("log"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let (name, ended) = (self.binary.name(), self.ended);
            eprintln!("--- {name} ({ended:?}), the end of its log:");
            eprintln!("{}\n---", tail(&self.log(), TAIL_LINES));
        }
    }
}

fn launch(binary: Binary, folder: &Folder, core: Option<usize>) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.path().join("log"));
    let log = log.expect("the service's own folder takes a file");
    let mut command = match core {
        // It becomes the binary: the process keeps its number.
        Some(core) => {
            let mut taskset = Command::new("taskset");
            taskset.args(["-c", &core.to_string()]).arg(binary.path());
            taskset
        }
        None => Command::new(binary.path()),
    };
    let child = command
        .args(["--config", "settings.toml"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a file can be opened twice"))
        .stderr(log)
        .spawn()
        .expect("a built binary starts");
    reaper::kill_at_end(child.id());
    child
}

/// Runs a binary to its end, as a person would on a terminal: `import`,
/// `--print-config`, wrong settings. `stdin` is all that it can read.
///
/// # Panics
/// As [`finish`].
pub async fn run(
    binary: Binary,
    settings: &Settings,
    arguments: &[&str],
    stdin: &[u8],
    deadline: Duration,
) -> Finished {
    let folder = Folder::new();
    folder.write("settings.toml", &settings.to_toml());
    let given = folder.path().join("stdin");
    std::fs::write(&given, stdin).expect("the folder takes a file");
    let mut command = Command::new(binary.path());
    command
        .args(["--config", "settings.toml"])
        .args(arguments)
        .current_dir(folder.path())
        .stdin(File::open(given).expect("it was just written"));
    finish(&mut command, deadline).await
}

pub(crate) fn read_lossy(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

/// The last lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<_> = text.trim_end().lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
