//! Is everything fine? What became of deliveries, overall or for one endpoint.

mod chart;
mod endpoints;
mod figures;
mod ranges;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::{AccountId, EndpointId, EndpointState, Timestamp};

use crate::actor::Scope;
use crate::attempts::{EndpointFigures, Progress, Range};
use crate::endpoints::{Found, StateCounts};
use crate::web::{
    Errors, Failure, Form, Page, Pages, Query, Section, Shell, Signed, filters, html, searched,
    see_other,
};

use super::endpoint::{name, page_of};
use super::waiting::{Waits, if_there};
use endpoints::EndpointRow;
use figures::Figures;
use ranges::RangeLink;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    shell: Shell,
    /// Of what the token reaches.
    counts: StateCounts,
    /// The endpoint that the URL names.
    one: Option<One>,
    ranges: Vec<RangeLink>,
    /// `None` while there is no index.
    figures: Option<Figures>,
    waits: Option<Waits>,
    /// How many endpoints take nothing, and since when the first.
    failing: Option<(u64, Timestamp)>,
    endpoints: Vec<EndpointRow>,
    reading: Option<Reading>,
    /// The account that an operator looks at alone.
    account: Option<AccountId>,
    errors: Errors,
}

/// One endpoint, and how it does.
struct One {
    name: String,
    page: String,
    state: EndpointState,
    health: Option<EndpointFigures>,
}

/// How far the index is behind its topic.
struct Reading {
    /// Of a hundred, where it is known how much there is.
    percent: Option<u64>,
}

pub(super) async fn home(_: Signed) -> Response {
    see_other("/overview")
}

pub(super) async fn show(State(pages): State<Pages>, signed: Signed, Query(query): Query) -> Page {
    let registry = pages.registry()?;
    let shell = signed.shell(Section::Overview);
    let mut errors = Errors::default();
    let range = ranges::of(&query, shell.t, &mut errors);
    let scope = &signed.scope_of(&query, &mut errors)?;
    let found = match query.text("endpoint") {
        "" => None,
        id => {
            let id = id.parse().map_err(|_| Failure::NotFound)?;
            Some(registry.get(scope, id).await?)
        }
    };
    let id = found.as_ref().map(|found| found.endpoint.id);
    if !errors.is_empty() {
        let page = OverviewPage::refused(registry.counts(scope), &query, errors, shell);
        return searched(&page, &page.errors);
    }
    let whose = whose(&signed, scope, id);
    let attempts = &pages.shared().log.attempts;
    let series = attempts.series(scope.clone().into(), id, range, shell.now);
    let figures =
        if_there(series.await)?.map(|series| Figures::of(&series, &whose, shell.language));
    let (failing, endpoints, one) = match found {
        Some(found) => (
            None,
            Vec::new(),
            Some(One::of(&pages, scope, &found, shell.now).await?),
        ),
        None => {
            let (failing, rows) = endpoints::first(&pages, scope, range, &shell).await?;
            (failing, rows, None)
        }
    };
    html(&OverviewPage {
        counts: registry.counts(scope),
        one,
        ranges: ranges::links(&query, Some(range), shell.t),
        figures,
        waits: Waits::of(&pages, scope, id).await?,
        failing,
        endpoints,
        reading: Reading::of(attempts.progress()),
        account: signed.account_of(scope),
        errors,
        shell,
    })
}

/// What the links behind figures have in their queries, so that they lead to the same.
fn whose(signed: &Signed, scope: &Scope, endpoint: Option<EndpointId>) -> String {
    match (endpoint, signed.account_of(scope)) {
        (Some(id), _) => format!("&endpoint={id}"),
        (None, Some(account)) => format!("&account={account}"),
        (None, None) => String::new(),
    }
}

impl OverviewPage {
    /// Without any figures: nothing shall look as if it were what was asked for.
    fn refused(counts: StateCounts, query: &Form, errors: Errors, shell: Shell) -> Self {
        Self {
            counts,
            one: None,
            ranges: ranges::links(query, None, shell.t),
            figures: None,
            waits: None,
            failing: None,
            endpoints: Vec::new(),
            reading: None,
            account: None,
            errors,
            shell,
        }
    }

    fn how_many_fail(&self, count: &u64) -> String {
        self.shell.t.overview.failing(*count)
    }
}

impl One {
    async fn of(
        pages: &Pages,
        scope: &Scope,
        found: &Found,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let endpoint = &found.endpoint;
        let attempts = &pages.shared().log.attempts;
        let ids = vec![endpoint.id];
        let health = attempts.endpoints(scope.clone().into(), ids, Range::default(), now);
        let health = if_there(health.await)?;
        Ok(Self {
            name: name(endpoint),
            page: page_of(endpoint.id),
            state: found.state(),
            health: health.and_then(|health| health.into_iter().next()),
        })
    }
}

impl Reading {
    fn of(progress: Progress) -> Option<Self> {
        match progress {
            Progress::Current => None,
            Progress::Away | Progress::CatchingUp { left: 0, .. } => Some(Self { percent: None }),
            Progress::CatchingUp { read, left } => Some(Self {
                percent: Some(read * 100 / (read + left)),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_the_index_is_stands_there_until_it_is_current() {
        let percent = |progress| Reading::of(progress).map(|reading| reading.percent);
        assert_eq!(percent(Progress::Current), None);
        assert_eq!(percent(Progress::Away), Some(None));
        let behind = |read, left| percent(Progress::CatchingUp { read, left });
        assert_eq!(behind(0, 0), Some(None));
        assert_eq!(behind(300, 700), Some(Some(30)));
    }
}
