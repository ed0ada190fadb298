//! What the API shows.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AccountId, AuditRecord, Cause, EndpointId, EndpointState, EventKind, Filter, Tier, Timestamp,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::endpoints::{Created, Found, SigningSecrets};
use crate::test_event::{Diagnosis, ShownRequest, TestResult};

/// An endpoint. Its secret is in the answers that make one, and whoever asks for it gets it:
/// `GET /api/v1/endpoints/{id}/secret`, which the audit tells.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Endpoint")]
pub(super) struct EndpointView<'a> {
    /// Its id.
    id: EndpointId,
    /// Whose it is.
    account: &'a AccountId,
    /// Where deliveries go.
    url: &'a str,
    /// Which events it gets.
    events: &'a BTreeSet<EventKind>,
    /// Which of those: all conditions must hold; none lets everything pass.
    filter: &'a Filter,
    /// What its owner calls it.
    description: Option<&'a str>,
    /// Headers that each delivery carries beside its own.
    headers: &'a BTreeMap<String, String>,
    /// Deliveries a second at most; `null` where there is no limit.
    max_per_second: Option<u32>,
    /// Whether it gets deliveries.
    state: EndpointState,
    /// What signs deliveries. Only in the answers that make a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    secret: Option<&'a str>,
    /// When it was made.
    created_at: Timestamp,
    /// When its owner last changed it.
    updated_at: Timestamp,
}

impl<'a> From<&'a Found> for EndpointView<'a> {
    fn from(found: &'a Found) -> Self {
        let endpoint = &*found.endpoint;
        Self {
            id: endpoint.id,
            account: &endpoint.account,
            url: &endpoint.url,
            events: &endpoint.events,
            filter: &endpoint.filter,
            description: endpoint.description.as_deref(),
            headers: &endpoint.headers,
            max_per_second: endpoint.max_per_second,
            state: found.state(),
            secret: None,
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }
}

impl<'a> From<&'a Created> for EndpointView<'a> {
    fn from(created: &'a Created) -> Self {
        Self {
            secret: Some(created.secret.expose()),
            ..Self::from(&created.found)
        }
    }
}

/// A page of endpoints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EndpointPage")]
pub(super) struct PageView<'a> {
    /// By account, the oldest first.
    pub(super) items: Vec<EndpointView<'a>>,
    /// What to give as `cursor` for the next page; `null` on the last one.
    pub(super) next_cursor: Option<String>,
}

/// The secrets that sign now.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Secrets")]
pub(super) struct SecretView<'a> {
    /// The current one.
    secret: &'a str,
    /// The one that a rotation replaced, for as long as it signs too.
    previous: Option<PreviousView<'a>>,
}

/// A secret that a rotation replaced.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PreviousSecret")]
struct PreviousView<'a> {
    /// The old one.
    secret: &'a str,
    /// Until when it signs.
    expires_at: Timestamp,
}

impl<'a> From<&'a SigningSecrets> for SecretView<'a> {
    fn from(secrets: &'a SigningSecrets) -> Self {
        Self {
            secret: secrets.current.expose(),
            previous: secrets
                .previous
                .as_ref()
                .map(|(secret, expires_at)| PreviousView {
                    secret: secret.expose(),
                    expires_at: *expires_at,
                }),
        }
    }
}

/// How a test event ended.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TestResult")]
pub(super) struct TestView {
    /// Whether the endpoint answered with 200 to 299 in time.
    delivered: bool,
    /// The status, where there was an answer.
    #[schemars(range(min = 100, max = 999))]
    status: Option<u16>,
    /// How long it took, in milliseconds.
    duration_ms: u64,
    /// The first bytes of the answer's body, as text; `null` without one. It is the
    /// receiver's text: show it as such.
    response_body: Option<String>,
    /// Why it was not delivered: `cause: text`.
    reason: Option<String>,
    /// The cause alone.
    #[schemars(with = "Option<Cause>")]
    cause: Option<&'static str>,
    /// What is wrong with the endpoint, finer than the cause.
    #[schemars(with = "Option<Diagnosis>")]
    diagnosis: Option<&'static str>,
    /// What was sent; `null` where the address guard ended it before.
    request: Option<RequestView>,
}

/// A request as it goes out.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Request")]
pub(super) struct RequestView {
    /// Where it goes.
    url: String,
    /// Its headers by their names in small letters.
    headers: BTreeMap<String, String>,
    /// Its body, byte for byte.
    body: String,
}

impl From<ShownRequest> for RequestView {
    fn from(request: ShownRequest) -> Self {
        Self {
            url: request.url,
            headers: request.headers,
            body: request.body,
        }
    }
}

impl From<TestResult> for TestView {
    fn from(result: TestResult) -> Self {
        Self {
            delivered: result.delivered,
            status: result.status,
            duration_ms: u64::try_from(result.took.as_millis()).unwrap_or(u64::MAX),
            response_body: result.response_body,
            reason: result.reason,
            cause: result.cause.map(Cause::as_str),
            diagnosis: result.diagnosis.map(Diagnosis::as_str),
            request: result.request.map(RequestView::from),
        }
    }
}

/// When failed deliveries are tried again.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RetryPolicy")]
pub(super) struct RetryPolicyView {
    /// The delay before each retry.
    #[schemars(with = "Vec<Tier>")]
    pub(super) schedule: Vec<String>,
    /// How long an endpoint has for its answer.
    #[schemars(extend("examples" = ["5s"]))]
    pub(super) timeout: String,
}

/// A page of the audit.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditPage")]
pub(super) struct AuditView<'a> {
    /// The newest first.
    pub(super) items: Vec<&'a AuditRecord>,
    /// What to give as `cursor` for the next page; `null` on the last one.
    pub(super) next_cursor: Option<String>,
}
