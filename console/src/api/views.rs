//! What the API shows.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AccountId, AuditRecord, Cause, EndpointId, EndpointState, EventKind, Filter, Timestamp,
};
use serde::Serialize;

use crate::endpoints::{Created, Found, SigningSecrets};
use crate::test_event::{Diagnosis, ShownRequest, TestResult};

/// An endpoint. Its secret is shown right after it was made, and nowhere else.
#[derive(Debug, Serialize)]
pub(super) struct EndpointView<'a> {
    id: EndpointId,
    account: &'a AccountId,
    url: &'a str,
    events: &'a BTreeSet<EventKind>,
    filter: &'a Filter,
    description: Option<&'a str>,
    headers: &'a BTreeMap<String, String>,
    max_per_second: Option<u32>,
    state: EndpointState,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    created_at: Timestamp,
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
#[derive(Debug, Serialize)]
pub(super) struct PageView<'a> {
    pub(super) items: Vec<EndpointView<'a>>,
    /// `null` on the last page.
    pub(super) next_cursor: Option<String>,
}

/// The secrets that sign now.
#[derive(Debug, Serialize)]
pub(super) struct SecretView<'a> {
    secret: &'a str,
    previous: Option<PreviousView<'a>>,
}

/// A secret that a rotation replaced.
#[derive(Debug, Serialize)]
struct PreviousView<'a> {
    secret: &'a str,
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
#[derive(Debug, Serialize)]
pub(super) struct TestView {
    delivered: bool,
    status: Option<u16>,
    duration_ms: u64,
    response_body: Option<String>,
    reason: Option<String>,
    cause: Option<&'static str>,
    diagnosis: Option<&'static str>,
    request: Option<RequestView>,
}

/// A request as it goes out.
#[derive(Debug, Serialize)]
pub(super) struct RequestView {
    url: String,
    headers: BTreeMap<String, String>,
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
#[derive(Debug, Serialize)]
pub(super) struct RetryPolicyView {
    pub(super) schedule: Vec<String>,
    pub(super) timeout: String,
}

/// A page of the audit.
#[derive(Debug, Serialize)]
pub(super) struct AuditView<'a> {
    pub(super) items: Vec<&'a AuditRecord>,
    /// `null` on the last page.
    pub(super) next_cursor: Option<String>,
}
