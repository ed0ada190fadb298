//! What was on the list and is there no more: what became of it, and by whom.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use domain::{AfterAttempt, AuditAction, AuditRecord};

use super::super::audit::action_name;
use super::super::waiting::if_there;
use super::in_path;
use crate::attempts::{Delivery, DeliverySummary};
use crate::web::{Failure, Page, Pages, Section, Shell, Signed, filters, html};

#[derive(Template)]
#[template(path = "failed_left.html")]
struct LeftPage {
    shell: Shell,
    id: String,
    /// Where all stands that was done with it.
    audit: String,
    /// What was done last with this one alone.
    done: Option<Arc<AuditRecord>>,
    /// How it stands now, as far as that is known.
    delivery: Option<DeliverySummary>,
}

/// For an id that is not on the list: a link to an entry outlives it. Nobody is
/// told of what they do not reach.
pub(super) async fn page(pages: &Pages, signed: &Signed, id: &str) -> Page {
    let scope = &signed.by.scope;
    let audit = pages.registry()?.audit();
    let done = audit.newest(scope, None, None, 1, |record| {
        let is_move = matches!(
            record.action,
            AuditAction::DeliveryResent | AuditAction::DeliveryDiscarded
        );
        is_move && record.subject == id
    });
    let done = done.into_iter().flatten().next().map(|entry| entry.record);
    let delivery = match id.parse() {
        Ok(id) => {
            let attempts = &pages.shared().log.attempts;
            if_there(attempts.delivery(scope.clone().into(), id).await)?.flatten()
        }
        Err(_) => None,
    };
    let delivery = delivery.filter(|delivery| done.is_some() || was_given_up(delivery));
    if done.is_none() && delivery.is_none() {
        return Err(Failure::NotFound);
    }
    let mut response = html(&LeftPage {
        shell: signed.shell(Section::Failed).back_to("/failed"),
        id: id.to_owned(),
        audit: format!("/settings/audit?subject={}", in_path(id)),
        done,
        delivery: delivery.map(|delivery| delivery.summary),
    })?;
    *response.status_mut() = StatusCode::GONE;
    Ok(response)
}

/// Whether it ever was on the list, as far as the index goes back.
fn was_given_up(delivery: &Delivery) -> bool {
    let mut records = delivery.records.iter();
    records.any(|record| matches!(record.after, AfterAttempt::DeadLetter { .. }))
}

impl LeftPage {
    fn action(&self, done: &AuditRecord) -> &'static str {
        action_name(self.shell.t, done.action)
    }

    /// Nothing has happened to it since.
    fn is_given_up(&self) -> bool {
        let delivery = self.delivery.as_ref();
        delivery.is_some_and(|it| matches!(it.after, AfterAttempt::DeadLetter { .. }))
    }
}
