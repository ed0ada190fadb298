//! What requests carry: strict, so that a slip of the pen is told.

use std::collections::BTreeMap;
use std::fmt;

use axum::body::Body;
use domain::{AccountId, Condition, EventKind};
use serde::de::{DeserializeOwned, Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use service::body;
use service::problem::Problem;

use crate::endpoints::Fields;
use crate::test_event::Draft;

/// Bytes of a body: more than any endpoint needs.
const MAX_BODY: usize = 64 * 1024;

/// Reads a body of JSON.
///
/// # Errors
/// 413 when it is too long, 400 when it is not JSON, 422 when it does not fit.
pub(super) async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    body::json(&body::read(body, MAX_BODY).await?)
}

/// A new endpoint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateBody {
    /// Whose; operators must say it.
    #[serde(default)]
    pub(super) account: Option<AccountId>,
    #[serde(default, deserialize_with = "present")]
    url: Option<String>,
    #[serde(default, deserialize_with = "present")]
    events: Option<Vec<EventKind>>,
    #[serde(default, deserialize_with = "present")]
    filter: Option<Vec<Condition>>,
    #[serde(default, deserialize_with = "present")]
    description: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    headers: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "present")]
    max_per_second: Option<Option<Rate>>,
}

/// A change: fields that are not there stay, `null` removes. Headers and filter
/// are replaced as a whole.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeBody {
    #[serde(default, deserialize_with = "present")]
    url: Option<String>,
    #[serde(default, deserialize_with = "present")]
    events: Option<Vec<EventKind>>,
    #[serde(default, deserialize_with = "present")]
    filter: Option<Vec<Condition>>,
    #[serde(default, deserialize_with = "present")]
    description: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    headers: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "present")]
    max_per_second: Option<Option<Rate>>,
}

/// A test event.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestBody {
    pub(super) event: EventKind,
}

/// A test event for what is no endpoint yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DraftTestBody {
    /// Whose minute it is counted in; operators must say it.
    #[serde(default)]
    pub(super) account: Option<AccountId>,
    #[serde(default, deserialize_with = "present")]
    url: Option<String>,
    event: EventKind,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "present")]
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
