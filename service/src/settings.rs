//! Settings in layers: the commented default text, then each `--config` file, then the
//! environment. A wrong one is an error that names its key, its value and what is allowed.

mod auth;
mod collector;
pub mod duration;
pub mod durations;
mod error;
mod kafka;
mod layers;
mod masked;
mod misread;
mod ports;
mod read;
mod topics;

use std::collections::HashMap;
use std::path::PathBuf;

use config::Config;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use auth::{AuthSettings, Role, TokenEntry, is_account_name};
pub use collector::CollectorUrl;
pub use error::SettingsError;
pub use kafka::KafkaSettings;
pub use masked::Masked;
pub use ports::{AdminSettings, LogFormat, LogSettings, address};
pub use topics::{TOPIC_KEYS, TopicsSettings};

use layers::Layer;

/// Reads the settings with this process's environment; see [`load_from`].
///
/// # Errors
/// See [`load_from`]; also a `FEEDBACKPRO__` variable that is not UTF-8.
pub fn load<T: DeserializeOwned>(defaults: &str, files: &[PathBuf]) -> Result<T, SettingsError> {
    load_from(defaults, files, layers::process_environment()?)
}

/// Reads the settings: `defaults` (TOML), over them each file (TOML) in turn, over them
/// `FEEDBACKPRO__SECTION__KEY` of `env`. Tables are merged key by key, lists are replaced.
///
/// A value from the environment is read as what its key takes: text as it stands, numbers,
/// `true` or `false`, and lists as `a,b` or as a TOML list (`[{ id = "x" }]`). Below
/// `kafka.properties` an underscore stands for a dot.
///
/// # Errors
/// A file that cannot be read or is not TOML, an unknown or missing key, a wrong value.
pub fn load_from<T: DeserializeOwned>(
    defaults: &str,
    files: &[PathBuf],
    env: HashMap<String, String>,
) -> Result<T, SettingsError> {
    let mut builder = Config::builder().add_source(Layer::defaults(defaults)?);
    for file in files {
        builder = builder.add_source(Layer::file(file)?);
    }
    let merged = builder
        .add_source(Layer::environment(env)?)
        .build()
        .map_err(|error| SettingsError::new("settings", error, "keys that can be merged"))?;
    read::read(merged.cache)
}

/// The settings as TOML, secrets as `********`.
pub fn print<T: Serialize>(settings: &T) -> String {
    toml::to_string(settings).unwrap_or_else(|error| format!("# cannot be printed: {error}\n"))
}
