//! What was measured, where and when: a figure says nothing without it.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use e2e::{kafka, service};

/// The machine, the code and the broker.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: f64,
    pub(crate) kernel: String,
    /// Short, with a remark when the tree differs from it, or when the
    /// binaries need not come from it.
    pub(crate) commit: String,
    /// UTC, `2026-11-23`.
    pub(crate) date: String,
    pub(crate) kafka: String,
}

impl Machine {
    /// Looks at this machine and at the repository.
    ///
    /// # Errors
    /// When it is no Linux, or when `git` does not answer.
    pub(crate) fn look(repository: &Path) -> io::Result<Self> {
        let cpus = std::fs::read_to_string("/proc/cpuinfo")?;
        let memory = std::fs::read_to_string("/proc/meminfo")?;
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
        Ok(Self {
            cpu: field(&cpus, "model name").unwrap_or("unknown").to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            memory_gib: kib(&memory, "MemTotal")? as f64 / 1024.0 / 1024.0,
            kernel: kernel.trim().to_owned(),
            commit: commit(repository)?,
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            kafka: kafka_version(),
        })
    }
}

/// Builds what is measured, as `cargo run -p bench` builds the bench only;
/// not where the environment names a folder of built binaries.
///
/// # Errors
/// When `cargo` fails; it has said why.
pub(crate) fn build_binaries() -> io::Result<()> {
    if std::env::var_os(service::FOLDER_VARIABLE).is_some() {
        return Ok(());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--workspace"])
        .stdout(Stdio::null())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("cargo build: {status}")))
    }
}

/// The value of `name` in lines of `name : value`.
pub(crate) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

/// The value of `name` in lines of `name: 123 kB`, in KiB.
///
/// # Errors
/// When there is no such line.
pub(crate) fn kib(text: &str, name: &str) -> io::Result<u64> {
    let value = field(text, name).and_then(|value| value.strip_suffix(" kB")?.parse().ok());
    value.ok_or_else(|| io::Error::other(format!("the kernel does not tell {name}")))
}

fn commit(repository: &Path) -> io::Result<String> {
    let commit = git(repository, &["rev-parse", "--short", "HEAD"])?;
    let others = ["status", "--porcelain", "--", ".", ":!docs/BENCHMARKS.md"];
    let changed = !git(repository, &others)?.is_empty();
    let changes = if changed {
        " with uncommitted changes"
    } else {
        ""
    };
    // Nobody knows which commit those are of.
    let foreign = match std::env::var_os(service::FOLDER_VARIABLE) {
        Some(_) => format!(
            " (binaries not built from it, but taken from {})",
            service::FOLDER_VARIABLE
        ),
        None => String::new(),
    };
    Ok(format!("{commit}{changes}{foreign}"))
}

fn git(repository: &Path, arguments: &[&str]) -> io::Result<String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(repository)
        .output()?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        let error = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("git {arguments:?}: {error}")))
    }
}

fn kafka_version() -> String {
    match std::env::var(kafka::BROKERS_VARIABLE) {
        Ok(brokers) if !brokers.is_empty() => {
            format!("an existing cluster ({})", kafka::BROKERS_VARIABLE)
        }
        Ok(_) | Err(_) => format!("{}, one broker on the same machine", kafka::VERSION),
    }
}
