//! All endpoints: a page of those that the URL asks for.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::{AccountId, EndpointState, EventKind};

use crate::api::cursor;
use crate::endpoints::{Found, StateCounts};
use crate::web::{
    Errors, Failure, Form, Messages, Page, Pager, Pages, Query, Section, Shell, Signed, filters,
    searched, see_other,
};

/// Rows of a page.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "endpoints.html")]
struct EndpointsPage {
    shell: Shell,
    filter: Filter,
    errors: Errors,
    counts: StateCounts,
    rows: Vec<Row>,
    accounts: Vec<AccountId>,
    pager: Pager,
}

/// What the URL asks for; what it does not name is not asked.
#[derive(Debug, Default)]
struct Filter {
    search: String,
    state: Option<EndpointState>,
    event: Option<EventKind>,
    account: String,
    is_any: bool,
}

struct Row {
    id: String,
    account: String,
    name: Option<String>,
    url: String,
    state: EndpointState,
    events: Vec<EventKind>,
    is_filtered: bool,
    updated_at: domain::Timestamp,
}

/// Where the product page sends people.
pub(super) async fn to_list(_: Signed) -> Response {
    see_other("/endpoints")
}

pub(super) async fn list(State(pages): State<Pages>, signed: Signed, Query(query): Query) -> Page {
    let registry = pages.registry()?;
    let shell = signed.shell(Section::Endpoints);
    let mut errors = Errors::default();
    let filter = Filter::of(&query, shell.t, &mut errors);
    let scope = signed.scope_of(&query, &mut errors)?;
    let after = match query.text(Pager::CURSOR) {
        "" => None,
        text => Some(cursor::read(text).map_err(|_| Failure::BadRequest)?),
    };
    let found = if errors.is_empty() {
        registry.list(&scope, after.as_ref(), ROWS + 1, |found| {
            filter.wants(found)
        })
    } else {
        Vec::new()
    };
    let (found, next) = cursor::page(found, ROWS, |last| cursor::behind(&last.place()));
    let counts = registry.counts(&scope);
    let page = EndpointsPage {
        counts,
        rows: found.iter().map(Row::of).collect(),
        accounts: if shell.is_operator() {
            registry.accounts()
        } else {
            Vec::new()
        },
        pager: Pager::new(&query, next.as_deref()),
        shell,
        filter,
        errors,
    };
    searched(&page, &page.errors)
}

impl EndpointsPage {
    fn states(&self) -> [(EndpointState, &'static str); 3] {
        let t = &self.shell.t.state;
        EndpointState::ALL.map(|state| {
            let name = match state {
                EndpointState::Enabled => t.enabled,
                EndpointState::Paused => t.paused,
                EndpointState::Disabled => t.disabled,
            };
            (state, name)
        })
    }
}

impl Filter {
    fn of(query: &Form, t: &'static Messages, errors: &mut Errors) -> Self {
        let search = query.text("q").trim().to_owned();
        let states = EndpointState::ALL;
        let state = query.chosen("state", &states, EndpointState::as_str, t, errors);
        let event = query.chosen("event", &EventKind::ALL, EventKind::as_str, t, errors);
        let account = query.text("account").trim().to_owned();
        Self {
            is_any: !search.is_empty() || state.is_some() || event.is_some() || !account.is_empty(),
            search,
            state,
            event,
            account,
        }
    }

    fn wants(&self, found: &Found) -> bool {
        let endpoint = &found.endpoint;
        self.state.is_none_or(|state| state == found.state())
            && self
                .event
                .is_none_or(|event| endpoint.events.contains(&event))
            && (self.search.is_empty() || {
                let wanted = self.search.to_lowercase();
                let holds = |text: &str| text.to_lowercase().contains(&wanted);
                holds(&endpoint.url)
                    || endpoint.description.as_deref().is_some_and(holds)
                    || holds(&endpoint.id.to_string())
            })
    }
}

impl Row {
    fn of(found: &Found) -> Self {
        let endpoint = &found.endpoint;
        Self {
            id: endpoint.id.to_string(),
            account: endpoint.account.to_string(),
            name: endpoint.description.clone(),
            url: endpoint.url.clone(),
            state: found.state(),
            events: endpoint.events.iter().copied().collect(),
            is_filtered: !endpoint.filter.conditions().is_empty(),
            updated_at: endpoint.updated_at,
        }
    }
}
