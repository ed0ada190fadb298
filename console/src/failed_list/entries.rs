//! What is on the list, and one entry off it.

use domain::{FailedFilter, JobAction};
use reqwest::{Method, Response};

use super::answers::{Counted, Entries, Entry};
use super::{FailedList, NotAnswered, asked, away, done, read};

impl FailedList {
    /// Entries, the newest first, `limit` at most, behind the page that ended
    /// with `after`.
    ///
    /// # Errors
    /// See [`NotAnswered`].
    pub(crate) async fn entries(
        &self,
        token: &str,
        filter: &FailedFilter,
        after: &str,
        limit: usize,
    ) -> Result<Entries, NotAnswered> {
        let mut query = parameters(filter);
        query.push(("order", "newest".to_owned()));
        query.push(("limit", limit.to_string()));
        if !after.is_empty() {
            query.push(("cursor", after.to_owned()));
        }
        let path = ["webhooks", "failed"];
        asked(self.request(Method::GET, &path, &query, token)?).await
    }

    /// How many entries match.
    ///
    /// # Errors
    /// See [`NotAnswered`].
    pub(crate) async fn count(
        &self,
        token: &str,
        filter: &FailedFilter,
    ) -> Result<u64, NotAnswered> {
        let path = ["webhooks", "failed", "count"];
        let request = self.request(Method::GET, &path, &parameters(filter), token)?;
        let counted: Counted = asked(request).await?;
        Ok(counted.count)
    }

    /// All that matches, a line each, as it arrives.
    ///
    /// # Errors
    /// See [`NotAnswered`].
    pub(crate) async fn export(
        &self,
        token: &str,
        filter: &FailedFilter,
    ) -> Result<Response, NotAnswered> {
        let path = ["webhooks", "failed", "export"];
        let request = self.request(Method::GET, &path, &parameters(filter), token)?;
        let response = request.send().await.map_err(|error| away(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let refused = read(response, NotAnswered::Away).await;
        Err(refused.err().unwrap_or(NotAnswered::Refused))
    }

    /// One entry with its payload.
    ///
    /// # Errors
    /// See [`NotAnswered`].
    pub(crate) async fn entry(&self, token: &str, id: &str) -> Result<Entry, NotAnswered> {
        let path = ["webhooks", "failed", id];
        asked(self.request(Method::GET, &path, &[], token)?).await
    }

    /// Takes one entry off the list.
    ///
    /// # Errors
    /// See [`NotAnswered`].
    pub(crate) async fn take_off(
        &self,
        token: &str,
        id: &str,
        action: JobAction,
    ) -> Result<(), NotAnswered> {
        let entry = ["webhooks", "failed", id];
        let resend = ["webhooks", "failed", id, "resend"];
        let request = match action {
            JobAction::Resend => self.request(Method::POST, &resend, &[], token)?,
            JobAction::Discard => self.request(Method::DELETE, &entry, &[], token)?,
        };
        done(request).await.map(drop)
    }
}

/// A filter as parameters. A selection of ids has none: only jobs take it.
pub(crate) fn parameters(filter: &FailedFilter) -> Vec<(&'static str, String)> {
    let text = |value: Option<&dyn std::fmt::Display>| value.map(ToString::to_string);
    let reason = filter.reason.map(domain::DeadLetterReason::as_str);
    let all = [
        ("account", text(filter.account.as_ref().map(|it| it as _))),
        ("endpoint", text(filter.endpoint.as_ref().map(|it| it as _))),
        ("event", text(filter.event.as_ref().map(|it| it as _))),
        ("reason", text(reason.as_ref().map(|it| it as _))),
        ("since", text(filter.since.as_ref().map(|it| it as _))),
        ("until", text(filter.until.as_ref().map(|it| it as _))),
    ];
    let named = |(name, value): (&'static str, Option<String>)| Some((name, value?));
    all.into_iter().filter_map(named).collect()
}
