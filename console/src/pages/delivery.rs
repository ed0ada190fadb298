//! What happened to one event at one endpoint, what it carries, and once more.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use domain::record::Coordinates;
use domain::{AfterAttempt, AttemptRecord, DeferReason, DeliveryId, EndpointState, Timestamp};
use kafka::LookupError;

use super::diagnosis::Told;
use super::endpoint::name;
use super::outcomes::{self, Resend};
use crate::attempts::{Delivery, DeliveryState};
use crate::delivery_log::NoPayload;
use crate::endpoints::Found;
use crate::web::{
    Failure, JsonView, Messages, Named, Notice, Page, Pages, Query, Section, Shell, Signed,
    filters, html, see_other, with_cookie,
};

/// What is due is on its way within this time, where nothing holds it.
const SOON: Duration = Duration::from_secs(5);

#[derive(Template)]
#[template(path = "delivery.html")]
struct DeliveryPage {
    shell: Shell,
    delivery: Delivery,
    state: DeliveryState,
    /// What its endpoint is called; `None` when that is deleted.
    endpoint: Option<String>,
    endpoint_state: Option<EndpointState>,
    resend: Resend,
    steps: Vec<Step>,
    /// `None` until it is asked for: it is read from Kafka.
    payload: Option<Result<JsonView, &'static str>>,
}

/// One record of the time line.
struct Step {
    /// Unique on the page.
    id: String,
    /// The sign beside it: of the delivery after it, but for an attempt that
    /// failed and is followed by others.
    state: DeliveryState,
    /// The schedule begins anew with it: a person has sent the delivery again.
    is_again: bool,
    /// `None` where no attempt was made.
    attempt: Option<u32>,
    at: Timestamp,
    took: String,
    status: Option<u16>,
    /// Why the attempt failed.
    told: Told,
    response: Option<JsonView>,
    /// Why it was put off or given up.
    why: Option<&'static str>,
    /// How often it was put off for the same reason, one after the other.
    times: u64,
}

pub(super) async fn show(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named<DeliveryId>,
    Query(query): Query,
) -> Page {
    let delivery = find(&pages, &signed, id).await?;
    let shell = signed.shell(Section::Deliveries);
    let payload = if query.text("show") == "payload" {
        let payload = pages.shared().log.payload(&delivery).await;
        Some(payload.map(text).map_err(|why| without(shell.t, why)))
    } else {
        None
    };
    let registry = pages.registry()?;
    let endpoint = registry.known(&signed.by.scope, id.endpoint).ok();
    let endpoint_state = endpoint.as_ref().map(Found::state);
    html(&DeliveryPage {
        endpoint: endpoint.map(|found| name(&found.endpoint)),
        endpoint_state,
        resend: Resend::of(shell.t, endpoint_state),
        state: DeliveryState::after(&delivery.summary.after),
        steps: steps(&shell, &delivery.records),
        payload,
        delivery,
        shell: shell.back_to(format!("/deliveries/{id}")),
    })
}

/// Sends it again, whatever became of it.
pub(super) async fn resend(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named<DeliveryId>,
) -> Page {
    let delivery = find(&pages, &signed, id).await?;
    // Kafka keeps the event longer than the index its records.
    let last = delivery.records.last().ok_or(Failure::EventExpired)?;
    let place = Coordinates {
        topic: last.topic.clone(),
        partition: last.partition,
        offset: last.offset,
    };
    let failed = &pages.shared().failed;
    failed
        .resend_delivery(signed.expose_token(), id, &place)
        .await?;
    let cookie = Notice::SentAgain.cookie(signed.context().jar());
    Ok(with_cookie(see_other(&format!("/deliveries/{id}")), cookie))
}

async fn find(pages: &Pages, signed: &Signed, id: DeliveryId) -> Result<Delivery, Failure> {
    let scope = signed.by.scope.clone().into();
    let found = pages.shared().log.attempts.delivery(scope, id).await?;
    found.ok_or(Failure::NotFound)
}

fn text(payload: Vec<u8>) -> JsonView {
    // An envelope is JSON, and so UTF-8.
    JsonView::of(String::from_utf8_lossy(&payload))
}

fn without(t: &'static Messages, why: NoPayload) -> &'static str {
    match why {
        NoPayload::PlaceUnknown => t.delivery.place_unknown,
        NoPayload::Absent | NoPayload::Lookup(LookupError::Absent) => t.delivery.absent,
        NoPayload::Lookup(LookupError::Expired) => t.delivery.expired,
        NoPayload::Lookup(error @ (LookupError::Busy | LookupError::Unavailable(_))) => {
            tracing::warn!(%error, "an event was not read");
            t.delivery.unavailable
        }
    }
}

fn steps(shell: &Shell, records: &[AttemptRecord]) -> Vec<Step> {
    let mut was_over = false;
    let mut put_off: Option<DeferReason> = None;
    let mut steps: Vec<Step> = Vec::with_capacity(records.len());
    for record in records {
        let before = put_off.take();
        if let AfterAttempt::Deferred { reason, .. } = record.after {
            put_off = Some(reason);
            if before == put_off
                && let Some(step) = steps.last_mut()
            {
                step.times += 1;
                step.at = record.at;
                continue;
            }
        }
        let mut step = Step::of(shell, record);
        step.id = format!("response-{}", steps.len());
        step.is_again = was_over && record.attempt == 1;
        was_over = matches!(
            record.after,
            AfterAttempt::Delivered | AfterAttempt::DeadLetter { .. }
        );
        steps.push(step);
    }
    steps
}

impl Step {
    fn of(shell: &Shell, record: &AttemptRecord) -> Self {
        let t = shell.t;
        let (state, why) = match &record.after {
            AfterAttempt::Delivered => (DeliveryState::Delivered, None),
            AfterAttempt::Retry { .. } => (DeliveryState::Failed, None),
            AfterAttempt::Deferred { reason, .. } => {
                (DeliveryState::Waiting, Some(outcomes::put_off(t, *reason)))
            }
            AfterAttempt::DeadLetter { reason } => {
                (DeliveryState::Failed, Some(outcomes::given_up(t, *reason)))
            }
        };
        let took = Duration::from_millis(record.duration_ms.into());
        let response = record.response.as_ref().filter(|text| !text.is_empty());
        Self {
            id: String::new(),
            state,
            is_again: false,
            attempt: record.was_made().then_some(record.attempt),
            at: record.at,
            took: shell.language.duration(took),
            status: record.status,
            told: Told::of(t, record),
            response: response.map(|text| JsonView::of(text.as_str())),
            why,
            times: 1,
        }
    }
}

impl DeliveryPage {
    /// Where it can be sent again from.
    fn has_place(&self) -> bool {
        !self.delivery.records.is_empty()
    }

    /// Why what is due does not come: so much only the dispatcher knows, that it has
    /// no room there.
    fn held(&self) -> Option<&'static str> {
        let due_at = self.due_at()?;
        if self.endpoint_state == Some(EndpointState::Paused) {
            Some(self.shell.t.delivery.held_paused)
        } else if self.shell.now.since(due_at) > SOON {
            Some(self.shell.t.delivery.held_for_room)
        } else {
            None
        }
    }

    /// When something comes next, where something does.
    fn due_at(&self) -> Option<Timestamp> {
        match self.delivery.summary.after {
            AfterAttempt::Retry { due_at, .. } | AfterAttempt::Deferred { due_at, .. } => {
                Some(due_at)
            }
            AfterAttempt::Delivered | AfterAttempt::DeadLetter { .. } => None,
        }
    }

    fn is_due(&self, at: &Timestamp) -> bool {
        *at <= self.shell.now
    }

    /// Why it waits or was given up, where there is more to say than its status.
    fn why(&self) -> Option<&'static str> {
        let t = self.shell.t;
        match self.delivery.summary.after {
            AfterAttempt::Deferred { reason, .. } => Some(outcomes::put_off(t, reason)),
            AfterAttempt::DeadLetter { reason } => Some(outcomes::given_up(t, reason)),
            AfterAttempt::Delivered | AfterAttempt::Retry { .. } => None,
        }
    }
}
