//! The endpoints that the overview shows: those that fail first.

use std::collections::HashMap;

use domain::{EndpointId, EndpointState, Timestamp};

use super::figures;
use crate::actor::Scope;
use crate::attempts::{EndpointFigures, Failing, Range};
use crate::endpoints::Found;
use crate::pages::endpoint::name;
use crate::pages::waiting::if_there;
use crate::web::{Failure, Pages, Shell};

/// Endpoints shown; the list of endpoints has all.
const ROWS: usize = 10;

/// An endpoint and how it does.
pub(super) struct EndpointRow {
    pub(super) id: EndpointId,
    pub(super) account: String,
    pub(super) name: String,
    pub(super) state: EndpointState,
    pub(super) success: Option<String>,
    pub(super) waiting: u64,
    pub(super) last_success: Option<Timestamp>,
    pub(super) failing_since: Option<Timestamp>,
}

/// How many endpoints take nothing and since when the first of them, and the rows.
pub(super) async fn first(
    pages: &Pages,
    scope: &Scope,
    range: Range,
    shell: &Shell,
) -> Result<(Option<(u64, Timestamp)>, Vec<EndpointRow>), Failure> {
    let registry = pages.registry()?;
    let attempts = &pages.shared().log.attempts;
    let failing = attempts.failing(scope.clone().into()).await;
    let mut failing = if_there(failing)?.unwrap_or_default();
    failing.retain(|failing| registry.is_there(failing.endpoint));
    let oldest = failing.first().map(|oldest| oldest.since);
    let count = u64::try_from(failing.len()).unwrap_or(u64::MAX);

    let found = choose(&failing, |limit, keep| {
        registry.list(scope, None, limit, |found| keep(found.endpoint.id))
    });
    let ids = found.iter().map(|found| found.endpoint.id).collect();
    let figures = attempts.endpoints(scope.clone().into(), ids, range, shell.now);
    let figures = if_there(figures.await)?.unwrap_or_default();
    let mut figures = figures.into_iter();
    let rows = found.iter();
    let rows = rows.map(|found| EndpointRow::of(found, figures.next(), shell));
    Ok((oldest.map(|since| (count, since)), rows.collect()))
}

/// Those that have failed for longest, then others as far as there is room.
fn choose(
    failing: &[Failing],
    list: impl Fn(usize, &dyn Fn(EndpointId) -> bool) -> Vec<Found>,
) -> Vec<Found> {
    let longest: HashMap<EndpointId, usize> = failing
        .iter()
        .take(ROWS)
        .enumerate()
        .map(|(place, failing)| (failing.endpoint, place))
        .collect();
    let mut found = list(longest.len(), &|id| longest.contains_key(&id));
    found.sort_by_key(|found| longest.get(&found.endpoint.id).copied());
    found.extend(list(ROWS - longest.len(), &|id| !longest.contains_key(&id)));
    found
}

impl EndpointRow {
    fn of(found: &Found, figures: Option<EndpointFigures>, shell: &Shell) -> Self {
        let endpoint = &found.endpoint;
        Self {
            id: endpoint.id,
            account: endpoint.account.to_string(),
            name: name(endpoint),
            state: found.state(),
            success: figures.and_then(|figures| figures::success(&figures.counts, shell.language)),
            waiting: figures.map_or(0, |figures| figures.waiting),
            last_success: figures.and_then(|figures| figures.last_success),
            failing_since: figures.and_then(|figures| figures.failing_since),
        }
    }
}
