//! How a binary ends when it failed.

use std::error::Error;
use std::process::ExitCode;

use crate::settings::SettingsError;

/// Wrong settings (`EX_USAGE` of sysexits.h): starting again without a change cannot help.
pub const EXIT_SETTINGS: u8 = 64;

/// Any other failure: starting again may help.
pub const EXIT_FAILURE: u8 = 1;

/// From here on a panic on any thread ends the process, after the usual message: a task that
/// is gone would hold its partition, or its port, for ever, and a new process does not.
pub fn abort_on_panic() {
    let say = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        say(panic);
        std::process::abort();
    }));
}

/// Prints the error and its causes to stderr, one line each, and gives the exit code:
/// [`EXIT_SETTINGS`] when a [`SettingsError`] is among them, otherwise [`EXIT_FAILURE`].
///
/// With `anyhow`: `service::exit::report(error.as_ref())`.
#[must_use]
pub fn report(error: &(dyn Error + 'static)) -> ExitCode {
    ExitCode::from(print(error, &mut std::io::stderr().lock()))
}

/// Does the work of [`report`] on any writer. A writer that fails is ignored: there is
/// nowhere left to say so.
pub fn print(error: &(dyn Error + 'static), out: &mut dyn std::io::Write) -> u8 {
    let mut code = EXIT_FAILURE;
    let mut next = Some(error);
    let mut lead = "error: ";
    while let Some(error) = next {
        if error.is::<SettingsError>() {
            code = EXIT_SETTINGS;
        }
        writeln!(out, "{lead}{error}").ok();
        lead = "  caused by: ";
        next = error.source();
    }
    code
}
