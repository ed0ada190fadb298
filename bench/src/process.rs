//! What the kernel counts for a process.

use std::io;
use std::time::Duration;

use crate::machine::kib;

/// Ticks of /proc/PID/stat in a second: USER_HZ, which is 100 for programs
/// on every Linux (man 5 proc).
const TICKS: u64 = 100;

/// User and system time that a process has used, to 10 ms.
///
/// # Errors
/// When there is no such process.
pub(crate) fn cpu(pid: u32) -> io::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in brackets, may hold spaces; utime and stime are the 14th
    // and 15th field, the 12th and 13th after it.
    let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let mut times = fields.split(' ').skip(11).map(str::parse::<u64>);
    match (times.next(), times.next()) {
        (Some(Ok(user)), Some(Ok(system))) => {
            Ok(Duration::from_millis((user + system) * 1000 / TICKS))
        }
        _ => Err(io::Error::other(format!("/proc/{pid}/stat: {stat:?}"))),
    }
}

/// The memory of a process, in MiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resident {
    /// Now: VmRSS.
    pub(crate) now: f64,
    /// The most since its start: VmHWM.
    pub(crate) peak: f64,
}

/// The memory of a process.
///
/// # Errors
/// When there is no such process.
pub(crate) fn resident(pid: u32) -> io::Result<Resident> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let mib = |name| kib(&status, name).map(|kib| kib as f64 / 1024.0);
    Ok(Resident {
        now: mib("VmRSS")?,
        peak: mib("VmHWM")?,
    })
}
