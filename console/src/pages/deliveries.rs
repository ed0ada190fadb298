//! Deliveries of the last seven days: a page of those that the URL asks for.

use askama::Template;
use axum::extract::State;
use domain::{AfterAttempt, DeliveryId, EventId, EventKind, Timestamp};

use super::choice::{Choice, Offer, name_of};
use super::diagnosis::wrong;
use super::outcomes;
use crate::attempts::{Cursor, DeliveryState, DeliverySummary, Filter};
use crate::endpoints::Registry;
use crate::web::{
    Errors, Failure, Form, Page, Pager, Pages, Query, Section, Shell, Signed, filters, searched,
};

/// Rows of a page.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "deliveries.html")]
struct DeliveriesPage {
    shell: Shell,
    search: Search,
    errors: Errors,
    rows: Vec<Row>,
    /// What is said while the list is not whole.
    reading: Option<String>,
    offer: Offer,
    pager: Pager,
}

/// What the URL asks for.
struct Search {
    /// The event's id, or a delivery's, as it was typed.
    id: String,
    delivery: Option<DeliveryId>,
    event_id: Option<EventId>,
    state: Option<DeliveryState>,
    choice: Choice,
}

struct Row {
    id: DeliveryId,
    account: String,
    event: EventKind,
    state: DeliveryState,
    endpoint: Option<String>,
    attempts: u32,
    status: Option<u16>,
    /// Why it was put off or given up.
    why: Option<&'static str>,
    /// Why its last attempt failed.
    wrong: Option<&'static str>,
    due_at: Option<Timestamp>,
    is_due: bool,
    first_at: Timestamp,
}

pub(super) async fn list(State(pages): State<Pages>, signed: Signed, Query(query): Query) -> Page {
    let registry = pages.registry()?;
    let shell = signed.shell(Section::Deliveries);
    let mut errors = Errors::default();
    let search = Search::of(&query, registry, &signed, &mut errors)?;
    let scope = search.choice.scope.clone();
    let after: Option<Cursor> = match query.text(Pager::CURSOR) {
        "" => None,
        text => Some(text.parse().map_err(|_| Failure::BadRequest)?),
    };
    let attempts = &pages.shared().log.attempts;
    let (found, next) = if errors.is_empty() {
        let filter = search.filter();
        let page = attempts.deliveries(scope.clone().into(), filter, after, ROWS);
        let page = page.await?;
        (page.deliveries, page.next.map(|next| next.to_string()))
    } else {
        (Vec::new(), None)
    };
    let rows = found.iter().map(|summary| {
        let endpoint = name_of(registry, &signed.by.scope, summary.id.endpoint);
        Row::of(&shell, summary, endpoint)
    });
    let page = DeliveriesPage {
        rows: rows.collect(),
        reading: outcomes::reading(&shell, attempts.progress()),
        offer: Offer::of(registry, &scope, &shell),
        pager: Pager::new(&query, next.as_deref()),
        search,
        errors,
        shell,
    };
    searched(&page, &page.errors)
}

impl Search {
    fn of(
        query: &Form,
        registry: &Registry,
        signed: &Signed,
        errors: &mut Errors,
    ) -> Result<Self, Failure> {
        let t = signed.language().messages();
        let id = query.text("id").trim().to_owned();
        let (delivery, event_id): (Option<DeliveryId>, Option<EventId>) =
            (id.parse().ok(), id.parse().ok());
        if delivery.is_none() && event_id.is_none() && !id.is_empty() {
            errors.add("id", t.deliveries.id_wrong);
        }
        let states = DeliveryState::ALL;
        let state = query.chosen("state", &states, DeliveryState::as_str, t, errors);
        Ok(Self {
            id,
            delivery,
            event_id,
            state,
            choice: Choice::of(query, registry, signed, errors)?,
        })
    }

    fn filter(&self) -> Filter {
        let Choice {
            endpoint_id,
            event,
            since,
            until,
            ..
        } = self.choice;
        Filter {
            event: self.delivery.map(|id| id.event).or(self.event_id),
            endpoint: self.delivery.map(|id| id.endpoint).or(endpoint_id),
            kind: event,
            state: self.state,
            since,
            until,
        }
    }

    fn is_any(&self) -> bool {
        !self.id.is_empty() || self.state.is_some() || self.choice.is_any()
    }
}

impl Row {
    fn of(shell: &Shell, summary: &DeliverySummary, endpoint: Option<String>) -> Self {
        let t = shell.t;
        let (why, due_at) = match summary.after {
            AfterAttempt::Delivered => (None, None),
            AfterAttempt::Retry { due_at, .. } => (None, Some(due_at)),
            AfterAttempt::Deferred { due_at, reason, .. } => {
                (Some(outcomes::put_off(t, reason)), Some(due_at))
            }
            AfterAttempt::DeadLetter { reason } => (Some(outcomes::given_up(t, reason)), None),
        };
        Self {
            id: summary.id,
            account: summary.account.to_string(),
            event: summary.event,
            state: DeliveryState::after(&summary.after),
            endpoint,
            attempts: summary.attempts,
            status: summary.last_status,
            why,
            wrong: wrong(t, summary.last_status, summary.last_error.as_deref()),
            due_at,
            is_due: due_at.is_some_and(|due_at| due_at <= shell.now),
            first_at: summary.first_at,
        }
    }
}

impl DeliveriesPage {
    fn states(&self) -> [(DeliveryState, &'static str); 3] {
        DeliveryState::ALL.map(|state| (state, outcomes::state(self.shell.t, state)))
    }
}
