//! Moments, in whole milliseconds.

use std::{
    borrow::Cow,
    fmt,
    str::FromStr,
    time::{Duration, UNIX_EPOCH},
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::field::from_string;

/// A moment in milliseconds since 1970-01-01T00:00:00Z, written in RFC 3339
/// (the profile of ISO 8601 that the product page shows) and always in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// 0000-01-01T00:00:00Z: RFC 3339 writes no earlier year.
const FIRST: i64 = -62_167_219_200_000;
/// 9999-12-30T22:00:00Z: the last moment that has a year of four digits in
/// every time zone, and the last that `jiff` can write.
const LAST: i64 = 253_402_207_200_000;
/// What is allowed, as error messages say it.
pub(crate) const ALLOWED: &str =
    "a date and time of ISO 8601 (RFC 3339), for example 2024-06-15T14:32:00Z";

/// A text that is no RFC 3339 date and time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not {ALLOWED}")]
pub struct NotATimestamp(String);

impl Timestamp {
    /// A moment from milliseconds since 1970, held within the years 0 to 9999
    /// (the last day and two hours of which are cut off).
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(if millis < FIRST {
            FIRST
        } else if millis > LAST {
            LAST
        } else {
            millis
        })
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The system clock, the part of a millisecond cut off.
    #[must_use]
    pub fn now() -> Self {
        let since = UNIX_EPOCH.elapsed().unwrap_or_default();
        Self::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// The system clock, rounded up: what is due at a moment made from this is
    /// never early by a part of a millisecond.
    #[must_use]
    pub fn now_rounded_up() -> Self {
        Self::from_millis(Self::now().0 + 1)
    }

    /// How long after `earlier` this is; zero if it is before it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        let later = i64::try_from(later.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(later))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => moment.fmt(f),
            Err(_) => Err(fmt::Error),
        }
    }
}

/// `jiff` reads more of ISO 8601 than RFC 3339 has: basic format, times without
/// seconds, time zone names. Only the shape is checked here.
fn looks_like_rfc3339(text: &str) -> bool {
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let bytes = text.as_bytes();
    let fits = |(found, wanted): (&u8, &u8)| match wanted {
        b'd' => found.is_ascii_digit(),
        b'T' => matches!(found, b'T' | b't' | b' '),
        _ => found == wanted,
    };
    let Some((moment, rest)) = bytes.split_at_checked(shape.len()) else {
        return false;
    };
    let fraction = match rest.strip_prefix(b".") {
        Some(digits) => 1 + digits.iter().take_while(|b| b.is_ascii_digit()).count(),
        None => 0,
    };
    let offset = match &rest[fraction..] {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()),
        _ => false,
    };
    moment.iter().zip(shape).all(fits) && offset
}

impl FromStr for Timestamp {
    type Err = NotATimestamp;

    fn from_str(text: &str) -> Result<Self, NotATimestamp> {
        looks_like_rfc3339(text)
            .then(|| text.parse::<jiff::Timestamp>().ok())
            .flatten()
            .map(|moment| Self::from_millis(moment.as_millisecond()))
            .ok_or_else(|| NotATimestamp(text.chars().take(80).collect()))
    }
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_string(deserializer, ALLOWED, |text| text.parse().ok())
    }
}
