//! What requests carry: strict, so that a slip of the pen is told.

use std::collections::BTreeMap;
use std::fmt;

use axum::body::Body;
use domain::{AccountId, Condition, EventKind, Filter};
use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use service::body;
use service::problem::Problem;

use crate::endpoints::{Fields, MAX_DESCRIPTION, MAX_PER_SECOND};
use crate::test_event::Draft;

/// Bytes of a body: more than any endpoint needs.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// Reads a body of JSON.
///
/// # Errors
/// 413 when it is too long, 400 when it is not JSON, 422 when it does not fit.
pub(super) async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    body::json(&body::read(body, MAX_BODY).await?)
}

/// A new endpoint.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewEndpoint", extend("required" = ["url", "events"]))]
pub(super) struct CreateBody {
    /// Whose it is to be; only operators must say it.
    #[serde(default)]
    pub(super) account: Option<AccountId>,
    /// Where deliveries go: `https`, on the ports 443 and 8443, at a public address.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    url: Option<String>,
    /// Which events it gets, each once.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Vec<EventKind>", length(min = 1), extend("uniqueItems" = true))]
    events: Option<Vec<EventKind>>,
    /// Which of those: all conditions must hold; none lets everything pass.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Filter")]
    filter: Option<Vec<Condition>>,
    /// What its owner calls it, in one line.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = MAX_DESCRIPTION))]
    description: Option<Option<String>>,
    /// Headers that each delivery carries beside its own: at most 20, names and values of
    /// at most 4096 bytes together, visible ASCII.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Headers", extend("maxProperties" = 20))]
    headers: Option<Headers>,
    /// Deliveries a second at most; `null` sets no limit.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<u32>", range(min = 1, max = MAX_PER_SECOND))]
    max_per_second: Option<Option<Rate>>,
}

/// A change: fields that are not there stay, `null` removes. Headers and filter
/// are replaced as a whole.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EndpointChange")]
pub(super) struct ChangeBody {
    /// Where deliveries go: `https`, on the ports 443 and 8443, at a public address.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    url: Option<String>,
    /// Which events it gets, each once.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Vec<EventKind>", length(min = 1), extend("uniqueItems" = true))]
    events: Option<Vec<EventKind>>,
    /// Which of those: all conditions must hold; none lets everything pass.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Filter")]
    filter: Option<Vec<Condition>>,
    /// What its owner calls it, in one line.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = MAX_DESCRIPTION))]
    description: Option<Option<String>>,
    /// Headers that each delivery carries beside its own: at most 20, names and values of
    /// at most 4096 bytes together, visible ASCII.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Headers", extend("maxProperties" = 20))]
    headers: Option<Headers>,
    /// Deliveries a second at most; `null` lifts the limit.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<u32>", range(min = 1, max = MAX_PER_SECOND))]
    max_per_second: Option<Option<Rate>>,
}

/// Headers by their names.
type Headers = BTreeMap<String, String>;

/// A test event.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TestOrder")]
pub(super) struct TestBody {
    /// Whose example is sent.
    pub(super) event: EventKind,
}

/// A test event for what is no endpoint yet.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DraftTestOrder", extend("required" = ["url", "event"]))]
pub(super) struct DraftTestBody {
    /// Whose minute it is counted in; only operators must say it.
    #[serde(default)]
    pub(super) account: Option<AccountId>,
    /// Where it goes: `https`, on the ports 443 and 8443, at a public address.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    url: Option<String>,
    /// Whose example is sent.
    event: EventKind,
    /// Headers that it carries beside its own, as an endpoint's would be.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 20))]
    headers: Headers,
    /// What signs it, `whsec_` and the base64 of 24 to 64 bytes; a secret that nobody is
    /// shown, where it is missing.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String", regex(pattern = r"^whsec_"))]
    secret: Option<String>,
}

impl DraftTestBody {
    pub(super) fn parts(self) -> (EventKind, Draft) {
        let draft = Draft {
            url: self.url,
            headers: self.headers,
            secret: self.secret,
        };
        (self.event, draft)
    }
}

impl CreateBody {
    pub(super) fn fields(self) -> Fields {
        Fields {
            url: self.url,
            events: self.events,
            filter: self.filter,
            description: self.description,
            headers: self.headers,
            max_per_second: self.max_per_second.map(rate),
        }
    }
}

impl ChangeBody {
    pub(super) fn fields(self) -> Fields {
        Fields {
            url: self.url,
            events: self.events,
            filter: self.filter,
            description: self.description,
            headers: self.headers,
            max_per_second: self.max_per_second.map(rate),
        }
    }
}

/// A field that is there, whatever it holds: only a missing one is `None`.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// A whole number; [`Fields`] says which ones are allowed.
#[derive(Debug, Clone, Copy)]
struct Rate(u32);

fn rate(rate: Option<Rate>) -> Option<u32> {
    rate.map(|Rate(rate)| rate)
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_u32(WholeNumber)
    }
}

/// Says what is allowed in words, where serde would say `u32`.
struct WholeNumber;

impl Visitor<'_> for WholeNumber {
    type Value = Rate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 1, or null")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Rate, E> {
        u32::try_from(number)
            .map(Rate)
            .map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }
}
