//! A list of durations: `#[serde(with = "service::settings::durations")]`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

use super::duration;

/// For serde's `with`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(durations: &[Duration], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(durations.iter().map(|item| duration::text(*item)))
}

/// For serde's `with`.
///
/// # Errors
/// When the value is not a list, or an item not a duration.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Duration>, D::Error> {
    let items = Vec::<Item>::deserialize(deserializer)?;
    Ok(items.into_iter().map(|Item(duration)| duration).collect())
}

struct Item(Duration);

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        duration::deserialize(deserializer).map(Self)
    }
}
