//! The list of deliveries, the newest first.

use std::fmt;
use std::str::FromStr;

use domain::{EndpointId, EventId, EventKind, Timestamp};
use rusqlite::Connection;

use super::summary::DeliverySummary;
use super::{Scope, subjects, summary};
use crate::attempts::code::{self, DeliveryState};
use crate::attempts::key;

/// Deliveries on one page at most.
pub const MOST_ON_A_PAGE: usize = 200;

/// Which deliveries are asked for. `None` is any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of this event: together with the endpoint it is one delivery.
    pub event: Option<EventId>,
    /// For this endpoint.
    pub endpoint: Option<EndpointId>,
    /// Of this kind of event.
    pub kind: Option<EventKind>,
    /// That stand so now.
    pub state: Option<DeliveryState>,
    /// That began at this moment or later.
    pub since: Option<Timestamp>,
    /// That began before this moment.
    pub until: Option<Timestamp>,
}

/// Where a page ends. It holds on every replica and after a rebuild: a delivery
/// keeps its place in the list, whatever becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(i64);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// A text that is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no cursor: take the one that came with the page before")]
pub struct NotACursor;

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let hex = text.len() <= 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = hex.then(|| i64::from_str_radix(text, 16).ok());
        number.flatten().map(Self).ok_or(NotACursor)
    }
}

/// A part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The newest first, by when they began.
    pub deliveries: Vec<DeliverySummary>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

pub(crate) fn page(
    connection: &mut Connection,
    scope: &Scope,
    filter: &Filter,
    after: Option<Cursor>,
    limit: usize,
) -> rusqlite::Result<Page> {
    let snapshot = connection.transaction()?;
    let limit = limit.clamp(1, MOST_ON_A_PAGE);
    let choice = Choice {
        connection: &snapshot,
        first: filter.since.map_or(0, key::first_at),
        end: filter
            .until
            .map_or(i64::MAX, key::first_at)
            .min(after.map_or(i64::MAX, |Cursor(key)| key)),
        // One more shows whether there is a next page.
        limit: limit + 1,
        classes: classes(filter),
    };
    let mut keys = choice.keys(scope, filter)?;
    keys.sort_unstable_by(|one, other| other.cmp(one));
    let more = keys.len() > limit;
    keys.truncate(limit);
    let next = keys.last().filter(|_| more).copied().map(Cursor);
    let deliveries = keys.into_iter().map(|key| summary::of(&snapshot, key));
    Ok(Page {
        deliveries: deliveries.collect::<rusqlite::Result<_>>()?,
        next,
    })
}

/// `None` where all of them are wanted.
fn classes(filter: &Filter) -> Option<Vec<i64>> {
    if filter.state.is_none() && filter.kind.is_none() {
        return None;
    }
    let mut classes = Vec::new();
    for state in DeliveryState::ALL {
        for kind in EventKind::ALL {
            let state_fits = filter.state.is_none_or(|wanted| wanted == state);
            if state_fits && filter.kind.is_none_or(|wanted| wanted == kind) {
                classes.push(code::class(state, kind));
            }
        }
    }
    Some(classes)
}

/// Which rows: each index gives those of one class in their order, so that no
/// more than `limit` rows are read of each.
struct Choice<'c> {
    connection: &'c Connection,
    first: i64,
    end: i64,
    limit: usize,
    classes: Option<Vec<i64>>,
}

impl Choice<'_> {
    fn keys(&self, scope: &Scope, filter: &Filter) -> rusqlite::Result<Vec<i64>> {
        if let Some(event) = filter.event {
            return self.of_event(scope, filter, event);
        }
        if let Some(endpoint) = filter.endpoint {
            let subjects = subjects::of_endpoint(self.connection, scope, endpoint)?;
            return self.of_subjects("deliveries_by_endpoint", "endpoint", &subjects);
        }
        match scope {
            Scope::Account(account) => {
                let subject = subjects::of_account(self.connection, account)?;
                let subjects = subject.as_slice();
                self.of_subjects("deliveries_by_account", "account", subjects)
            }
            Scope::All => self.of_all(),
        }
    }

    /// Few rows: one an endpoint that has chosen the event.
    fn of_event(
        &self,
        scope: &Scope,
        filter: &Filter,
        event: EventId,
    ) -> rusqlite::Result<Vec<i64>> {
        let endpoints = match filter.endpoint {
            Some(endpoint) => Some(subjects::of_endpoint(self.connection, scope, endpoint)?),
            None => None,
        };
        let account = match scope {
            Scope::Account(account) => Some(subjects::of_account(self.connection, account)?),
            Scope::All => None,
        };
        let mut rows = self.connection.prepare_cached(
            "SELECT id, endpoint, account, class FROM deliveries INDEXED BY deliveries_by_event \
             WHERE event = ?1 AND id >= ?2 AND id < ?3",
        )?;
        let mut rows = rows.query((event.to_bytes(), self.first, self.end))?;
        let mut keys = Vec::new();
        while let Some(row) = rows.next()? {
            let (endpoint, owner, class): (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let fits = endpoints.as_ref().is_none_or(|all| all.contains(&endpoint))
                && account.is_none_or(|account| account == Some(owner))
                && self.classes.as_ref().is_none_or(|all| all.contains(&class));
            if fits {
                keys.push(row.get(0)?);
            }
        }
        Ok(keys)
    }

    fn of_subjects(
        &self,
        index: &str,
        column: &str,
        subjects: &[i64],
    ) -> rusqlite::Result<Vec<i64>> {
        let mut rows = self.connection.prepare_cached(&format!(
            "SELECT id FROM deliveries INDEXED BY {index} \
             WHERE {column} = ?1 AND class = ?2 AND id >= ?3 AND id < ?4 \
             ORDER BY id DESC LIMIT ?5"
        ))?;
        let any = || classes_of_all();
        let classes = self.classes.clone().unwrap_or_else(any);
        let mut keys = Vec::new();
        for subject in subjects {
            for class in &classes {
                let rows = rows.query_map(
                    (subject, class, self.first, self.end, self.limit()),
                    |row| row.get::<_, i64>(0),
                )?;
                for key in rows {
                    keys.push(key?);
                }
            }
        }
        Ok(keys)
    }

    fn of_all(&self) -> rusqlite::Result<Vec<i64>> {
        let Some(classes) = &self.classes else {
            return self
                .connection
                .prepare_cached(
                    "SELECT id FROM deliveries NOT INDEXED WHERE id >= ?1 AND id < ?2 \
                     ORDER BY id DESC LIMIT ?3",
                )?
                .query_map((self.first, self.end, self.limit()), |row| row.get(0))?
                .collect();
        };
        let mut rows = self.connection.prepare_cached(
            "SELECT id FROM deliveries INDEXED BY deliveries_by_class \
             WHERE class = ?1 AND id >= ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4",
        )?;
        let mut keys = Vec::new();
        for class in classes {
            let rows = rows.query_map((class, self.first, self.end, self.limit()), |row| {
                row.get::<_, i64>(0)
            })?;
            for key in rows {
                keys.push(key?);
            }
        }
        Ok(keys)
    }

    fn limit(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX)
    }
}

/// Every state and kind.
fn classes_of_all() -> Vec<i64> {
    let states = DeliveryState::ALL.into_iter();
    let each = |state| EventKind::ALL.map(|kind| code::class(state, kind));
    states.flat_map(each).collect()
}
