//! One layer of settings as a source for the `config` crate, which merges them.
//! `config`'s own file source would quote the wrong line, secret or not, in its errors, and
//! its own environment source would split `security.protocol` at the dot.

use std::collections::HashMap;
use std::path::Path;

use config::{ConfigError, Map, Source, Value, ValueKind};

use super::SettingsError;

pub(super) const PREFIX: &str = "FEEDBACKPRO__";
pub(super) const SEPARATOR: &str = "__";
/// Keys below hold dots of their own.
pub(super) const PROPERTIES: &str = "kafka.properties.";
pub(super) const ENVIRONMENT: &str = "the environment";
pub(super) const DEFAULTS: &str = "the built-in defaults";

#[derive(Clone, Debug)]
pub(super) struct Layer {
    values: Map<String, Value>,
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.values.clone())
    }
}

impl Layer {
    pub(super) fn defaults(text: &str) -> Result<Self, SettingsError> {
        Self::toml(text, DEFAULTS)
    }

    pub(super) fn file(path: &Path) -> Result<Self, SettingsError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            SettingsError::new(
                "--config",
                format!("{name}: {error}"),
                "a TOML file that this user may read",
            )
        })?;
        Self::toml(&text, &name)
    }

    fn toml(text: &str, origin: &str) -> Result<Self, SettingsError> {
        let table: toml::Table = toml::from_str(text).map_err(|error| {
            // Not the error's own Display: it shows the line, which may hold a secret.
            let line = error
                .span()
                .and_then(|span| text.get(..span.start))
                .map_or(1, |before| before.matches('\n').count() + 1);
            SettingsError::new(
                "--config",
                format!("{origin}, line {line}: {}", error.message()),
                "TOML (https://toml.io)",
            )
        })?;
        Ok(Self {
            values: table
                .into_iter()
                .map(|(key, value)| (key, from_toml(value, origin)))
                .collect(),
        })
    }

    /// Variables without the prefix are left alone.
    pub(super) fn environment(env: HashMap<String, String>) -> Result<Self, SettingsError> {
        let mut values = Map::new();
        for (name, text) in env {
            let Some(rest) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let mut path: Vec<String> = rest
                .to_lowercase()
                .split(SEPARATOR)
                .map(str::to_owned)
                .collect();
            if path.len() < 2 || path.iter().any(String::is_empty) {
                return Err(SettingsError::new(
                    "--config",
                    format!("{name} in {ENVIRONMENT}"),
                    format!("{PREFIX}SECTION{SEPARATOR}KEY"),
                ));
            }
            if let [section, table, property] = path.as_mut_slice()
                && PROPERTIES == format!("{section}.{table}.")
            {
                *property = property.replace('_', ".");
            }
            insert(&mut values, &path, &text);
        }
        Ok(Self { values })
    }
}

fn insert(table: &mut Map<String, Value>, path: &[String], text: &str) {
    let origin = ENVIRONMENT.to_owned();
    let (key, rest) = match path {
        [] => return,
        [key] => {
            let value = Value::new(Some(&origin), text);
            table.insert(key.clone(), value);
            return;
        }
        [key, rest @ ..] => (key, rest),
    };
    let child = table
        .entry(key.clone())
        .or_insert_with(|| Value::new(Some(&origin), Map::<String, Value>::new()));
    if !matches!(child.kind, ValueKind::Table(_)) {
        child.kind = ValueKind::Table(Map::new());
    }
    if let ValueKind::Table(inner) = &mut child.kind {
        insert(inner, rest, text);
    }
}

/// Each value remembers where it came from, for the errors.
pub(super) fn from_toml(value: toml::Value, origin: &str) -> Value {
    let kind = match value {
        toml::Value::String(text) => ValueKind::String(text),
        toml::Value::Integer(number) => ValueKind::I64(number),
        toml::Value::Float(number) => ValueKind::Float(number),
        toml::Value::Boolean(flag) => ValueKind::Boolean(flag),
        toml::Value::Datetime(time) => ValueKind::String(time.to_string()),
        toml::Value::Array(items) => ValueKind::Array(
            items
                .into_iter()
                .map(|item| from_toml(item, origin))
                .collect(),
        ),
        toml::Value::Table(table) => ValueKind::Table(
            table
                .into_iter()
                .map(|(key, item)| (key, from_toml(item, origin)))
                .collect(),
        ),
    };
    Value::new(Some(&origin.to_owned()), kind)
}

/// The variables of this process that are meant for settings.
pub(super) fn process_environment() -> Result<HashMap<String, String>, SettingsError> {
    std::env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            name.starts_with(PREFIX).then_some((name, value))
        })
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(SettingsError::new(
                "--config",
                format!("bytes in {name} that are not UTF-8"),
                "UTF-8",
            )),
        })
        .collect()
}
