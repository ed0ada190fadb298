//! Who runs on which core: what is measured has one to itself; the broker,
//! the load, the receiver and all that is not measured share the other one.

use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use e2e::{Service, Signal};

/// For the measured binary.
pub(crate) const MEASURED: usize = 1;
/// For all else.
pub(crate) const OTHERS: usize = 0;
/// More than any clean stop takes.
const STOP_DEADLINE: Duration = Duration::from_secs(30);

/// Moves this process to the core of all else. What it starts later inherits
/// that, unless it is pinned. (A broker in Docker does not.)
///
/// # Errors
/// When there is no `taskset`, or when it may not.
pub(crate) fn leave_the_measured_core() -> io::Result<()> {
    let (core, process) = (OTHERS.to_string(), std::process::id().to_string());
    let status = Command::new("taskset")
        .args(["-a", "-p", "-c", &core, &process])
        .stdout(Stdio::null())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("taskset: {status}")))
    }
}

/// Stops a service cleanly; what comes from now on waits for it.
pub(crate) async fn stop(service: &mut Service) {
    service.signal(Signal::Term);
    service.wait_exit(STOP_DEADLINE).await;
}

/// Starts a service, on the measured core, that [`stop`] has stopped.
pub(crate) async fn start_measured(service: &mut Service) {
    service.pin(MEASURED);
    service.restart().await;
}
