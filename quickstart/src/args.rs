//! The command line.

use clap::{Parser, value_parser};
use domain::Schedule;
use service::settings::SettingsError;

/// Starts everything in one process, on a Kafka that lives in memory
///
/// Nothing is kept: with the process all events are gone.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Examples:
  quickstart
  quickstart --schedule 1s,2s,3s,4s,5s     see retries and a dead letter within seconds
  quickstart --kafka 127.0.0.1:9092        a real broker instead of the one in memory"
)]
pub(crate) struct Args {
    /// A real broker instead of the one in memory: its topics stay
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) kafka: Option<String>,
    /// The delay before each retry
    #[arg(long, default_value = "15s,2m,10m,1h,6h", value_parser = schedule)]
    pub(crate) schedule: Schedule,
    /// The token of the demo account; a new one each time where it is not given
    #[arg(long, value_parser = token)]
    pub(crate) token: Option<String>,
    /// Where the console listens; health and metrics are here, too
    #[arg(long, default_value_t = 8080, value_parser = value_parser!(u16).range(1..))]
    pub(crate) console_port: u16,
    /// Where events are posted to
    #[arg(long, default_value_t = 8081, value_parser = value_parser!(u16).range(1..))]
    pub(crate) producer_port: u16,
    /// Where the failed list is
    #[arg(long, default_value_t = 8082, value_parser = value_parser!(u16).range(1..))]
    pub(crate) failed_port: u16,
    /// Where the demo receiver listens
    #[arg(long, default_value_t = 8083, value_parser = value_parser!(u16).range(1..))]
    pub(crate) receiver_port: u16,
}

impl Args {
    /// Checks what concerns several of them.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let ports = [
            ("--console-port", self.console_port),
            ("--producer-port", self.producer_port),
            ("--failed-port", self.failed_port),
            ("--receiver-port", self.receiver_port),
        ];
        for (index, (flag, port)) in ports.iter().enumerate() {
            if let Some((other, _)) = ports.iter().take(index).find(|(_, it)| it == port) {
                let found = format!("{port}, which is that of {other}, too");
                return Err(SettingsError::new(*flag, found, "a port of its own"));
            }
        }
        Ok(())
    }

    /// The ports that open once the samples were delivered.
    pub(crate) fn served_ports(&self) -> [u16; 3] {
        [self.console_port, self.producer_port, self.failed_port]
    }
}

fn schedule(text: &str) -> Result<Schedule, String> {
    let delays: Vec<&str> = text.split(',').map(str::trim).collect();
    Schedule::parse(&delays).map_err(|error| error.to_string())
}

/// RFC 6750, section 2.1. Such a token needs no quotes in a shell either.
fn token(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if !text.is_empty() && text.bytes().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("allowed are letters, digits and -._~+/=, at least one".to_owned())
    }
}
