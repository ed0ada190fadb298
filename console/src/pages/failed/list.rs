//! A page of the failed list, and the jobs that move its entries.

use askama::Template;
use axum::extract::State;
use domain::{DeadLetterReason, JobAction};

use super::super::choice::{Offer, name_of};
use super::super::{diagnosis, outcomes};
use super::{Search, in_path};
use crate::endpoints::Registry;
use crate::failed_list::{Entry, Job};
use crate::web::{Errors, Page, Pager, Pages, Query, Section, Shell, Signed, filters, searched};

/// Rows of a page.
const ROWS: usize = 50;
/// Jobs that are shown.
const JOBS: usize = 5;

#[derive(Template)]
#[template(path = "failed.html")]
struct FailedPage {
    shell: Shell,
    search: Search,
    errors: Errors,
    /// Entries that match.
    count: u64,
    rows: Vec<Row>,
    jobs: Vec<Job>,
    offer: Offer,
    pager: Pager,
    export: String,
}

struct Row {
    entry: Entry,
    path: String,
    /// What its endpoint is called; `None` when that is deleted or unknown.
    endpoint: Option<String>,
}

pub(in crate::pages) async fn list(
    State(pages): State<Pages>,
    signed: Signed,
    Query(query): Query,
) -> Page {
    let registry = pages.registry()?;
    let shell = signed.shell(Section::Failed);
    let mut errors = Errors::default();
    let search = Search::of(&query, registry, &signed, &mut errors)?;
    let filter = search.filter(&signed);
    let (failed, token) = (&pages.shared().failed, signed.expose_token());
    let jobs = failed.jobs(token, JOBS);
    let (count, entries, next, jobs) = if errors.is_empty() {
        let after = query.text(Pager::CURSOR);
        let entries = failed.entries(token, &filter, after, ROWS);
        let count = failed.count(token, &filter);
        let (entries, count, jobs) = tokio::try_join!(entries, count, jobs)?;
        let next = entries.next().map(str::to_owned);
        (count, entries.items, next, jobs)
    } else {
        (0, Vec::new(), None, jobs.await?)
    };
    let row = |entry| Row::of(registry, &signed, entry);
    let page = FailedPage {
        count,
        rows: entries.into_iter().map(row).collect(),
        jobs,
        offer: Offer::of(registry, &signed.by.scope, &shell),
        pager: Pager::new(&query, next.as_deref()),
        export: format!("/failed/export{}", query.query_with(Pager::CURSOR, "")),
        search,
        errors,
        shell,
    };
    searched(&page, &page.errors)
}

impl Row {
    fn of(registry: &Registry, signed: &Signed, entry: Entry) -> Self {
        let id = entry.endpoint_id.as_ref().and_then(|id| id.parse().ok());
        Self {
            path: format!("/failed/{}", in_path(&entry.id)),
            endpoint: id.and_then(|id| name_of(registry, &signed.by.scope, id)),
            entry,
        }
    }
}

impl FailedPage {
    fn reasons(&self) -> [(DeadLetterReason, &'static str); DeadLetterReason::ALL.len()] {
        DeadLetterReason::ALL.map(|reason| (reason, self.why(&reason)))
    }

    fn why(&self, reason: &DeadLetterReason) -> &'static str {
        outcomes::given_up(self.shell.t, *reason)
    }

    /// Why the last attempt failed.
    fn wrong(&self, row: &Row) -> Option<&'static str> {
        diagnosis::wrong(self.shell.t, None, row.entry.last_error.as_deref())
    }

    /// The job in words.
    fn job_name(&self, job: &Job) -> &'static str {
        match job.action {
            JobAction::Resend => self.shell.t.job.resend,
            JobAction::Discard => self.shell.t.job.discard,
        }
    }
}
