//! Who did what, the newest first.

mod detail;

pub(super) use detail::detail;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use domain::{AccountId, AuditAction, AuditRecord, DeliveryId, EndpointId, Timestamp};

use super::choice::name_of;
use crate::api::cursor;
use crate::audit::Entry;
use crate::endpoints::{Registry, Unavailable};
use crate::web::{
    Errors, Failure, Form, Messages, Page, Pager, Pages, Query, Section, Shell, Signed, filters,
    searched,
};

/// Rows of a page.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    shell: Shell,
    filter: Filter,
    errors: Errors,
    rows: Vec<Row>,
    accounts: Vec<AccountId>,
    pager: Pager,
}

struct Row {
    record: Arc<AuditRecord>,
    /// What else there is to know.
    detail: Option<String>,
    /// The endpoint that it is about, itself or by a delivery; one that is deleted has
    /// no page and no name.
    endpoint: Option<(EndpointId, String)>,
    /// Whether it is about the endpoint itself.
    is_endpoint: bool,
}

/// What the URL asks for.
struct Filter {
    action: Option<AuditAction>,
    subject: String,
    token: String,
    account: String,
    /// A day, as `<input type="date">` has it.
    since_day: String,
    /// Its first moment, in UTC.
    since: Option<Timestamp>,
    is_any: bool,
}

pub(super) async fn list(State(pages): State<Pages>, signed: Signed, Query(query): Query) -> Page {
    let registry = pages.registry()?;
    let shell = signed.shell(Section::Audit);
    let mut errors = Errors::default();
    let filter = Filter::of(&query, shell.t, &mut errors);
    let scope = signed.scope_of(&query, &mut errors)?;
    let before = match query.text(Pager::CURSOR) {
        "" => None,
        text => Some(cursor::read_older(text).map_err(|_| Failure::BadRequest)?),
    };
    let found = if errors.is_empty() {
        let audit = registry.audit();
        let wants = |record: &AuditRecord| filter.wants(record);
        audit.newest(&scope, filter.since, before, ROWS + 1, wants)
    } else {
        Some(Vec::new())
    };
    let found = found.ok_or(Unavailable::AuditLoading)?;
    let (found, next) = cursor::page(found, ROWS, |last| cursor::older(last.place));
    let row = |entry: Entry| Row::of(&shell, registry, &signed, entry.record);
    let page = AuditPage {
        accounts: if shell.is_operator() {
            registry.accounts()
        } else {
            Vec::new()
        },
        rows: found.into_iter().map(row).collect(),
        pager: Pager::new(&query, next.as_deref()),
        filter,
        errors,
        shell,
    };
    searched(&page, &page.errors)
}

impl Filter {
    fn of(query: &Form, t: &'static Messages, errors: &mut Errors) -> Self {
        let text = |name: &str| query.text(name).trim().to_owned();
        let actions = AuditAction::ALL;
        let action = query.chosen("action", &actions, AuditAction::as_str, t, errors);
        let (subject, token) = (text("subject"), text("token"));
        let (account, since_day) = (text("account"), text("since"));
        let since = format!("{since_day}T00:00:00Z").parse().ok();
        if since.is_none() && !since_day.is_empty() {
            errors.add("since", t.audit.since_wrong);
        }
        let texts = [&subject, &token, &account, &since_day];
        Self {
            is_any: action.is_some() || texts.iter().any(|text| !text.is_empty()),
            action,
            subject,
            token,
            account,
            since_day,
            since,
        }
    }

    fn wants(&self, record: &AuditRecord) -> bool {
        self.action.is_none_or(|action| action == record.action)
            && (self.subject.is_empty() || record.subject == self.subject)
            && (self.token.is_empty() || record.token == self.token)
    }
}

impl AuditPage {
    fn action(&self, action: &AuditAction) -> &'static str {
        action_name(self.shell.t, *action)
    }

    fn actions(&self) -> [AuditAction; AuditAction::ALL.len()] {
        AuditAction::ALL
    }
}

impl Row {
    fn of(shell: &Shell, registry: &Registry, signed: &Signed, record: Arc<AuditRecord>) -> Self {
        let subject = &record.subject;
        let delivery: Option<DeliveryId> = subject.parse().ok();
        let id = subject.parse().ok();
        let id = id.or_else(|| delivery.map(|id| id.endpoint));
        let name = id.and_then(|id| name_of(registry, &signed.by.scope, id));
        Self {
            endpoint: id.zip(name),
            is_endpoint: delivery.is_none(),
            detail: detail(shell, registry, &signed.by.scope, &record),
            record,
        }
    }
}

/// What was done, in words.
pub(super) fn action_name(t: &'static Messages, action: AuditAction) -> &'static str {
    let t = &t.action;
    match action {
        AuditAction::EndpointCreated => t.endpoint_created,
        AuditAction::EndpointChanged => t.endpoint_changed,
        AuditAction::EndpointPaused => t.endpoint_paused,
        AuditAction::EndpointResumed => t.endpoint_resumed,
        AuditAction::EndpointDisabled => t.endpoint_disabled,
        AuditAction::EndpointDeleted => t.endpoint_deleted,
        AuditAction::SecretRevealed => t.secret_revealed,
        AuditAction::SecretRotated => t.secret_rotated,
        AuditAction::DeliveryResent => t.delivery_resent,
        AuditAction::DeliveryDiscarded => t.delivery_discarded,
        AuditAction::ResendStarted => t.resend_started,
        AuditAction::DiscardStarted => t.discard_started,
        AuditAction::JobCancelled => t.job_cancelled,
    }
}
