//! What is asked for, as SQL.

use domain::{AccountId, FailedFilter};
use rusqlite::types::ToSql;

/// What may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Deliveries of one account.
    Account(AccountId),
    /// Everything, poison too.
    All,
}

/// The conditions of a query on `failures f` and their values, in order.
#[derive(Default)]
pub(super) struct Conditions {
    text: Vec<&'static str>,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    pub(super) fn of(scope: &Scope, filter: &FailedFilter) -> Self {
        let mut all = Self::default();
        // An endpoint has few of an account's entries: the plus leaves the index
        // of accounts out.
        let of_account = match filter.endpoint {
            Some(_) => "+f.account = ?",
            None => "f.account = ?",
        };
        if let Scope::Account(account) = scope {
            all.text.push("f.poison = 0");
            all.add(of_account, account.to_string());
        }
        if let Some(account) = &filter.account {
            all.add(of_account, account.to_string());
        }
        if let Some(endpoint) = filter.endpoint {
            all.add("f.endpoint = ?", endpoint.to_string());
        }
        if let Some(event) = filter.event {
            all.add("f.event = ?", event.as_str());
        }
        if let Some(reason) = filter.reason {
            all.add("f.reason = ?", reason.as_str());
        }
        if let Some(since) = filter.since {
            all.add("f.failed_at >= ?", since.millis());
        }
        if let Some(until) = filter.until {
            all.add("f.failed_at < ?", until.millis());
        }
        if let Some(ids) = &filter.ids {
            all.add("f.id IN (SELECT value FROM json_each(?))", json_list(ids));
        }
        all
    }

    pub(super) fn add(&mut self, condition: &'static str, value: impl ToSql + 'static) {
        self.text.push(condition);
        self.values.push(Box::new(value));
    }

    /// What stands behind `WHERE`.
    pub(super) fn sql(&self) -> String {
        match self.text.as_slice() {
            [] => "TRUE".to_owned(),
            conditions => conditions.join(" AND "),
        }
    }

    pub(super) fn values(&self) -> impl rusqlite::Params {
        rusqlite::params_from_iter(&self.values)
    }
}

/// A list as one value of a query, to be read by `json_each`.
pub(super) fn json_list<T: serde::Serialize>(values: &[T]) -> String {
    serde_json::to_string(values).expect("texts and numbers are JSON")
}
