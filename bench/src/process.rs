//! What the kernel counts for a process.

use std::io;
use std::time::Duration;

use crate::machine::kib;

/// Ticks of /proc/PID/stat in a second: USER_HZ, which is 100 for programs
/// on every Linux (man 5 proc).
const TICKS: u64 = 100;

fn of_ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS)
}

/// User and system time that a process has used, to 10 ms.
///
/// # Errors
/// When there is no such process.
fn cpu(pid: u32) -> io::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in brackets, may hold spaces; utime and stime are the 14th
    // and 15th field, the 12th and 13th after it.
    let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let mut times = fields.split(' ').skip(11).map(str::parse::<u64>);
    match (times.next(), times.next()) {
        (Some(Ok(user)), Some(Ok(system))) => Ok(of_ticks(user + system)),
        _ => Err(io::Error::other(format!("/proc/{pid}/stat: {stat:?}"))),
    }
}

/// What a process has used since its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// User and system time.
    pub(crate) cpu: Duration,
    /// The most memory that was resident: VmHWM.
    pub(crate) peak_mib: f64,
}

/// What a process has used since its start.
///
/// # Errors
/// When there is no such process.
pub(crate) fn usage(pid: u32) -> io::Result<Usage> {
    Ok(Usage {
        cpu: cpu(pid)?,
        peak_mib: memory_mib(pid, "VmHWM")?,
    })
}

/// What is resident of a process now.
///
/// # Errors
/// When there is no such process.
pub(crate) fn resident_mib(pid: u32) -> io::Result<f64> {
    memory_mib(pid, "VmRSS")
}

/// How long a core has worked since the machine's start, to 10 ms.
///
/// # Errors
/// When there is no such core.
pub(crate) fn core(number: usize) -> io::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let name = format!("cpu{number} ");
    let line = stat.lines().find_map(|line| line.strip_prefix(&name));
    let ticks: Vec<u64> = line
        .unwrap_or_default()
        .split_whitespace()
        .map_while(|field| field.parse().ok())
        .collect();
    // User, nice and system time; idle and waiting for a disk; interrupts.
    match ticks[..] {
        [user, nice, system, _, _, interrupts, soft, ..] => {
            Ok(of_ticks(user + nice + system + interrupts + soft))
        }
        _ => Err(io::Error::other(format!("/proc/stat has no {name}"))),
    }
}

fn memory_mib(pid: u32, name: &str) -> io::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    kib(&status, name).map(|kib| kib as f64 / 1024.0)
}
