//! Logs to stderr. Metrics are each binary's own table, served by [`crate::admin`].

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::settings::{LogFormat, LogSettings, SettingsError};

/// Sets the process's log up; call it once, before the first log line.
///
/// # Errors
/// `log.level` when it is not a filter, `log` when a log was set up before.
pub fn init(log: &LogSettings) -> Result<(), SettingsError> {
    let filter = EnvFilter::try_new(&log.level).map_err(|_| {
        SettingsError::new(
            "log.level",
            &log.level,
            "error, warn, info, debug or trace, also by module: info,rdkafka=warn",
        )
    })?;
    let stderr = std::io::stderr;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr);
    let done = match log.format {
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .finish()
            .try_init(),
        LogFormat::Human => builder
            .with_ansi(stderr().is_terminal())
            .finish()
            .try_init(),
    };
    done.map_err(|_| SettingsError::new("log", "a second set-up", "one set-up a process"))
}
