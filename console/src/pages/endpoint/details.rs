//! One endpoint: is it fine, and if not, why not?

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use domain::{AuditRecord, Condition, Endpoint, EndpointId, EndpointState, Operand, Timestamp};

use super::name;
use super::snippets::{SNIPPETS, Snippet};
use super::{page_of, words};
use crate::attempts::{EndpointFigures, Range};
use crate::audit::Entry;
use crate::pages::audit::{action_name, detail};
use crate::pages::waiting::if_there;
use crate::web::{Named, Page, Pages, Section, Shell, Signed, filters, html};

/// Records of the audit that are shown here.
const RECENT: usize = 5;

#[derive(Template)]
#[template(path = "endpoint.html")]
struct DetailsPage {
    shell: Shell,
    id: String,
    name: String,
    endpoint: Arc<Endpoint>,
    state: EndpointState,
    /// Since when it is disabled.
    disabled_at: Option<Timestamp>,
    /// How it does; `None` while there is no index.
    health: Option<EndpointFigures>,
    rate: Option<String>,
    revealed: Option<Revealed>,
    previous_until: Option<Timestamp>,
    /// With what else there is to know of each.
    audit: Option<Vec<(Arc<AuditRecord>, Option<String>)>>,
    snippets: &'static [Snippet],
}

/// The secrets that sign now. They stand on this one page, and in no log.
pub(super) struct Revealed {
    pub(super) current: String,
    pub(super) previous: Option<String>,
}

pub(in crate::pages) async fn details(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named,
) -> Page {
    page(&pages, &signed, id, None).await
}

pub(super) async fn page(
    pages: &Pages,
    signed: &Signed,
    id: EndpointId,
    revealed: Option<Revealed>,
) -> Page {
    let registry = pages.registry()?;
    let found = registry.get(&signed.by.scope, id).await?;
    let subject = id.to_string();
    let audit = registry
        .audit()
        .newest(&signed.by.scope, None, None, RECENT, |record| {
            record.subject == subject
        });
    let shell = signed.shell(Section::Endpoints).back_to(page_of(id));
    let attempts = &pages.shared().log.attempts;
    let scope = signed.by.scope.clone().into();
    let health = attempts.endpoints(scope, vec![id], Range::default(), shell.now);
    let health = if_there(health.await)?;
    let told = |entry: Entry| {
        let detail = detail(&shell, registry, &signed.by.scope, &entry.record);
        (entry.record, detail)
    };
    let audit = audit.map(|entries| entries.into_iter().map(told).collect());
    let state = found.state();
    let endpoint = found.endpoint;
    html(&DetailsPage {
        id: subject,
        name: name(&endpoint),
        state,
        health: health.and_then(|health| health.into_iter().next()),
        disabled_at: found
            .said
            .filter(|_| state == EndpointState::Disabled)
            .map(|said| said.at),
        rate: endpoint.max_per_second.map(|rate| shell.number(&rate)),
        previous_until: previous_until(&endpoint, shell.now),
        revealed,
        audit,
        snippets: &SNIPPETS,
        endpoint,
        shell,
    })
}

/// Until when the secret before signs, too.
pub(super) fn previous_until(endpoint: &Endpoint, now: Timestamp) -> Option<Timestamp> {
    let mut signing = endpoint.signing_secrets(now);
    signing.find_map(|secret| secret.expires_at)
}

impl DetailsPage {
    fn operator(&self, condition: &Condition) -> &'static str {
        words::operator(self.shell.t, condition.operator)
    }

    fn operand(&self, condition: &Condition) -> String {
        match &condition.value {
            Operand::Number(number) => self.shell.number(number),
            Operand::Text(text) => text.clone(),
        }
    }

    fn action(&self, record: &AuditRecord) -> &'static str {
        action_name(self.shell.t, record.action)
    }
}
