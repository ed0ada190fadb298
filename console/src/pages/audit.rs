//! Who did what, the newest first.

mod detail;

pub(super) use detail::detail;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use domain::{AccountId, AuditAction, AuditRecord, Timestamp};

use crate::api::cursor;
use crate::endpoints::Unavailable;
use crate::web::{
    Failure, Form, Messages, Page, Pager, Pages, Query, Section, Shell, Signed, filters, html,
};

/// Rows of a page.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    shell: Shell,
    filter: Filter,
    rows: Vec<Row>,
    accounts: Vec<AccountId>,
    pager: Pager,
}

struct Row {
    record: Arc<AuditRecord>,
    /// What else there is to know.
    detail: Option<String>,
}

/// What the URL asks for.
struct Filter {
    action: Option<AuditAction>,
    subject: String,
    token: String,
    account: String,
    /// A day, as `<input type="date">` has it.
    since: String,
    is_any: bool,
}

pub(super) async fn list(State(pages): State<Pages>, signed: Signed, Query(query): Query) -> Page {
    let registry = pages.registry()?;
    let filter = Filter::of(&query);
    let scope = signed.scope_of(&filter.account)?;
    let before = match query.text(Pager::CURSOR) {
        "" => None,
        text => Some(cursor::read_older(text).map_err(|_| Failure::BadRequest)?),
    };
    let found = registry
        .audit()
        .newest(&scope, filter.since()?, before, ROWS + 1, |record| {
            filter.wants(record)
        });
    let found = found.ok_or(Unavailable::AuditLoading)?;
    let (found, next) = cursor::page(found, ROWS, |last| cursor::older(last.place));
    let shell = signed.shell(Section::Audit);
    let row = |record: Arc<AuditRecord>| Row {
        detail: detail(&shell, registry, &signed.by.scope, &record),
        record,
    };
    html(&AuditPage {
        accounts: if shell.is_operator() {
            registry.accounts()
        } else {
            Vec::new()
        },
        rows: found.into_iter().map(|entry| row(entry.record)).collect(),
        pager: Pager::new(&query, next.as_deref()),
        filter,
        shell,
    })
}

impl Filter {
    fn of(query: &Form) -> Self {
        let text = |name: &str| query.text(name).trim().to_owned();
        let action = AuditAction::parse(query.text("action"));
        let (subject, token) = (text("subject"), text("token"));
        let (account, since) = (text("account"), text("since"));
        let texts = [&subject, &token, &account, &since];
        Self {
            is_any: action.is_some() || texts.iter().any(|text| !text.is_empty()),
            action,
            subject,
            token,
            account,
            since,
        }
    }

    /// The first moment of the day, in UTC.
    fn since(&self) -> Result<Option<Timestamp>, Failure> {
        match self.since.as_str() {
            "" => Ok(None),
            day => {
                let moment = format!("{day}T00:00:00Z").parse();
                moment.map(Some).map_err(|_| Failure::BadRequest)
            }
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

    /// The page of what a record is about, where it has one.
    fn page_of(&self, record: &AuditRecord) -> Option<String> {
        let is_there = match record.action {
            AuditAction::EndpointCreated
            | AuditAction::EndpointChanged
            | AuditAction::EndpointPaused
            | AuditAction::EndpointResumed
            | AuditAction::EndpointDisabled
            | AuditAction::SecretRevealed
            | AuditAction::SecretRotated => true,
            AuditAction::EndpointDeleted
            | AuditAction::DeliveryResent
            | AuditAction::DeliveryDiscarded
            | AuditAction::ResendStarted
            | AuditAction::DiscardStarted
            | AuditAction::JobCancelled => false,
        };
        is_there.then(|| format!("/endpoints/{}", record.subject))
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
