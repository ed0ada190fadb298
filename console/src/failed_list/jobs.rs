//! Bulk jobs.

use domain::{FailedFilter, JobAction, JobId};
use reqwest::Method;
use serde_json::json;

use super::answers::{Forecast, Job, Jobs};
use super::{FailedList, NotAnswered, asked, done, parsed};

impl FailedList {
    /// What a job would do now.
    ///
    /// # Errors
    /// See [`NotAnswered`].
    pub(crate) async fn forecast(
        &self,
        token: &str,
        filter: &FailedFilter,
        action: JobAction,
    ) -> Result<Forecast, NotAnswered> {
        let order = json!({"filter": filter, "action": action, "dry_run": true});
        let request = self.request(Method::POST, &["webhooks", "resends"], &[], token)?;
        asked(request.json(&order)).await
    }

    /// Starts a job.
    ///
    /// # Errors
    /// See [`NotAnswered`].
    pub(crate) async fn start(
        &self,
        token: &str,
        filter: &FailedFilter,
        action: JobAction,
    ) -> Result<Job, NotAnswered> {
        let order = json!({"filter": filter, "action": action});
        let request = self.request(Method::POST, &["webhooks", "resends"], &[], token)?;
        parsed(&done(request.json(&order)).await?)
    }

    /// The latest jobs, the newest first.
    ///
    /// # Errors
    /// See [`NotAnswered`].
    pub(crate) async fn jobs(&self, token: &str, limit: usize) -> Result<Vec<Job>, NotAnswered> {
        let query = [("limit", limit.to_string())];
        let path = ["webhooks", "resends"];
        let jobs: Jobs = asked(self.request(Method::GET, &path, &query, token)?).await?;
        Ok(jobs.items)
    }

    /// One job, as far as it is.
    ///
    /// # Errors
    /// See [`NotAnswered`].
    pub(crate) async fn job(&self, token: &str, id: JobId) -> Result<Job, NotAnswered> {
        let id = id.to_string();
        let path = ["webhooks", "resends", &id];
        asked(self.request(Method::GET, &path, &[], token)?).await
    }

    /// Ends a job; what it has moved stays moved.
    ///
    /// # Errors
    /// See [`NotAnswered`].
    pub(crate) async fn cancel(&self, token: &str, id: JobId) -> Result<(), NotAnswered> {
        let id = id.to_string();
        let path = ["webhooks", "resends", &id];
        done(self.request(Method::DELETE, &path, &[], token)?)
            .await
            .map(drop)
    }
}
