//! The delays a failed delivery waits: tiers, and the schedule made of them.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// The longest delay a schedule may hold. Retention of the retry topics is
/// 7 days; a record must not outlive its topic while it waits.
pub const LONGEST_TIER: Duration = Duration::from_secs(24 * 3600);

/// One delay of the backoff, which is also one topic (`webhooks.retry.15s`).
/// Whole milliseconds, from 1 ms to [`LONGEST_TIER`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tier(u64);

/// A text or a duration that is no tier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a delay: allowed is a whole number with the unit ms, s, m or h, from 1ms to 24h, for example 15s"
)]
pub struct NotATier(String);

impl Tier {
    /// The delay.
    #[must_use]
    pub const fn delay(self) -> Duration {
        Duration::from_millis(self.0)
    }

    /// The delay in milliseconds.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    const fn from_millis(millis: u64) -> Option<Self> {
        if millis >= 1 && millis as u128 <= LONGEST_TIER.as_millis() {
            Some(Self(millis))
        } else {
            None
        }
    }
}

/// The units a tier is written in, largest first, with their milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl fmt::Display for Tier {
    /// The shortest whole form: `15s`, `2m`, `1h`, `250ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = UNITS
            .into_iter()
            .find(|(_, size)| self.0.is_multiple_of(*size))
            .unwrap_or(("ms", 1));
        write!(f, "{}{unit}", self.0 / size)
    }
}

impl FromStr for Tier {
    type Err = NotATier;

    fn from_str(text: &str) -> Result<Self, NotATier> {
        let refuse = || NotATier(text.to_owned());
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let (_, size) = UNITS
            .into_iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(refuse)?;
        number
            .parse::<u64>()
            .ok()
            .and_then(|n| n.checked_mul(size))
            .and_then(Self::from_millis)
            .ok_or_else(refuse)
    }
}

impl JsonSchema for Tier {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Tier".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$", "examples": ["15s"]})
    }
}

impl TryFrom<Duration> for Tier {
    type Error = NotATier;

    fn try_from(delay: Duration) -> Result<Self, NotATier> {
        u64::try_from(delay.as_millis())
            .ok()
            .and_then(Self::from_millis)
            .ok_or_else(|| NotATier(format!("{delay:?}")))
    }
}

/// The backoff: the delay before each retry, and the tiers it uses.
///
/// The product page's schedule is 15 s, 2 m, 10 m, 1 h, 6 h: one attempt at
/// once and five retries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    delays: Vec<Tier>,
    tiers: Vec<Tier>,
}

/// Why a list of delays is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotASchedule {
    /// One of the delays is no tier.
    #[error(transparent)]
    Tier(#[from] NotATier),
    /// Between 1 and 16 delays are allowed.
    #[error("a schedule has 1 to 16 delays, this one has {0}")]
    Length(usize),
    /// Delays grow: a shorter one after a longer one is a slip of the pen.
    #[error("the delays of a schedule never shrink, but {1} follows {0}")]
    Shrinks(Tier, Tier),
}

impl Schedule {
    /// A schedule of these delays, in this order.
    ///
    /// # Errors
    /// When there are none or more than 16, or when they shrink.
    pub fn new(delays: Vec<Tier>) -> Result<Self, NotASchedule> {
        if delays.is_empty() || delays.len() > 16 {
            return Err(NotASchedule::Length(delays.len()));
        }
        if let Some(pair) = delays.windows(2).find(|pair| pair[0] > pair[1]) {
            return Err(NotASchedule::Shrinks(pair[0], pair[1]));
        }
        let mut tiers = delays.clone();
        tiers.dedup();
        Ok(Self { delays, tiers })
    }

    /// A schedule from its written form, for example `["15s", "2m"]`.
    ///
    /// # Errors
    /// When a delay cannot be read, and as [`Schedule::new`].
    pub fn parse<S: AsRef<str>>(delays: &[S]) -> Result<Self, NotASchedule> {
        let delays = delays
            .iter()
            .map(|d| d.as_ref().parse())
            .collect::<Result<Vec<Tier>, _>>()?;
        Self::new(delays)
    }

    /// The delay before each retry, the first retry first.
    #[must_use]
    pub fn delays(&self) -> &[Tier] {
        &self.delays
    }

    /// The different delays, shortest first: one topic each.
    #[must_use]
    pub fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    /// How many attempts a delivery gets at most: one at once and one a delay.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        1 + u32::try_from(self.delays.len()).unwrap_or(u32::MAX - 1)
    }

    /// The tier to wait after attempt number `attempt` (the first is 1) failed:
    /// the first tier that is at least the schedule's delay and `retry_after`,
    /// at most the longest tier. `None` when no retry is left.
    #[must_use]
    pub fn after_attempt(&self, attempt: u32, retry_after: Option<Duration>) -> Option<Tier> {
        let index = usize::try_from(attempt.checked_sub(1)?).ok()?;
        let planned = *self.delays.get(index)?;
        let wanted = planned.delay().max(retry_after.unwrap_or_default());
        Some(self.at_least(wanted))
    }

    /// The tier a delivery waits that has been deferred `deferrals` times:
    /// the tiers in order up to 10 m, then 10 m again (the shortest tier where
    /// all are longer).
    #[must_use]
    pub fn for_deferral(&self, deferrals: u32) -> Tier {
        const LONGEST_DEFERRAL: Duration = Duration::from_secs(600);
        let usable = self
            .tiers
            .iter()
            .take_while(|t| t.delay() <= LONGEST_DEFERRAL)
            .count()
            .max(1);
        let index = usize::try_from(deferrals).unwrap_or(usize::MAX);
        self.tiers[index.min(usable - 1)]
    }

    fn at_least(&self, wanted: Duration) -> Tier {
        let longest = self.tiers[self.tiers.len() - 1];
        self.tiers
            .iter()
            .copied()
            .find(|tier| tier.delay() >= wanted)
            .unwrap_or(longest)
    }
}
