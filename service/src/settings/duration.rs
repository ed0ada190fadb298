//! Durations as `250ms`, `15s`, `2m`, `1h`: `#[serde(with = "service::settings::duration")]`.

use std::fmt;
use std::time::Duration;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserializer, Serializer};

const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
pub(super) const ALLOWED: &str =
    "a duration in quotes: a whole number and ms, s, m or h, such as \"15s\"";

/// `15s`, `2m`, `250ms` or `1h`, with a whole number; nothing else.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, millis) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let number: u64 = number.parse().ok()?;
    number.checked_mul(millis).map(Duration::from_millis)
}

/// The form that [`parse`] reads, in the largest unit that leaves no rest (`120s` is `2m`).
/// Less than a millisecond is cut off.
#[must_use]
pub fn text(duration: Duration) -> String {
    let all = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if all == 0 {
        return "0s".to_owned();
    }
    let whole = UNITS
        .into_iter()
        .find(|(_, millis)| all.is_multiple_of(*millis));
    let (unit, millis) = whole.unwrap_or(("ms", 1));
    format!("{}{unit}", all / millis)
}

/// For serde's `with`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*duration))
}

/// For serde's `with`.
///
/// # Errors
/// When the text is not a duration.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_str(DurationText)
}

pub(super) struct DurationText;

impl Visitor<'_> for DurationText {
    type Value = Duration;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(ALLOWED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}
