//! What else a record of the audit says, in words of the page's language.

use domain::{AuditAction, AuditRecord, DeadLetterReason};

use crate::actor::Scope;
use crate::endpoints::Registry;
use crate::pages::{chosen, outcomes};
use crate::web::{Messages, Shell};

/// Text that is not known here stays as it is. Where an event stands in Kafka is
/// of no use to a customer, and is left out.
pub(in crate::pages) fn detail(
    shell: &Shell,
    registry: &Registry,
    scope: &Scope,
    record: &AuditRecord,
) -> Option<String> {
    let text = record.detail.as_deref().filter(|text| !text.is_empty())?;
    let words = match record.action {
        AuditAction::EndpointChanged => fields(shell.t, text),
        AuditAction::DeliveryResent | AuditAction::DeliveryDiscarded => {
            match text.strip_prefix("from the failed list: ") {
                Some(reason) => given_up(shell.t, reason),
                None if text.starts_with("from ") => return None,
                None => None,
            }
        }
        AuditAction::ResendStarted | AuditAction::DiscardStarted => {
            started(shell, registry, scope, text)
        }
        AuditAction::JobCancelled => cancelled(shell, text),
        AuditAction::EndpointCreated
        | AuditAction::EndpointPaused
        | AuditAction::EndpointResumed
        | AuditAction::EndpointDisabled
        | AuditAction::EndpointDeleted
        | AuditAction::SecretRevealed
        | AuditAction::SecretRotated => None,
    };
    Some(words.unwrap_or_else(|| text.to_owned()))
}

/// `url, events`: the fields by the names that the form gives them.
fn fields(t: &'static Messages, text: &str) -> Option<String> {
    let names = [
        ("url", t.form.url),
        ("events", t.endpoints.events),
        ("filter", t.form.filter),
        ("description", t.form.description),
        ("headers", t.form.headers),
        ("max_per_second", t.form.rate),
    ];
    let name = |field| Some(names.iter().find(|(known, _)| *known == field)?.1);
    let fields: Option<Vec<&str>> = text.split(", ").map(name).collect();
    fields.map(|fields| fields.join(", "))
}

/// Why it was on the failed list.
fn given_up(t: &'static Messages, reason: &str) -> Option<String> {
    let reason = DeadLetterReason::parse(reason)?;
    Some(t.audit.was_given_up(outcomes::given_up(t, reason)))
}

/// `54 deliveries: endpoint=ep_…`.
fn started(shell: &Shell, registry: &Registry, scope: &Scope, text: &str) -> Option<String> {
    let (count, filter) = text.split_once(" deliveries: ")?;
    let chosen = chosen::in_words(shell, registry, scope, filter)?;
    Some(shell.t.audit.many(count.parse().ok()?, chosen))
}

/// `3 of 54 deliveries had been moved`.
fn cancelled(shell: &Shell, text: &str) -> Option<String> {
    let counts = text.strip_suffix(" deliveries had been moved")?;
    let (moved, all) = counts.split_once(" of ")?;
    let (moved, all): (u64, u64) = (moved.parse().ok()?, all.parse().ok()?);
    let (moved, all) = (shell.number(&moved), shell.number(&all));
    Some(shell.t.audit.until_then(moved, all))
}
