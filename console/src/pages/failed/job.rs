//! A bulk job: how far it is. Its state is dlq-consumer's, so that the page is
//! the same after a reload, and after a restart of either.

use askama::Template;
use axum::extract::State;
use domain::{JobId, JobState};

use super::super::chosen;
use crate::failed_list::{Job, NotAnswered};
use crate::web::{
    Named, Notice, Page, Pages, Section, Shell, Signed, filters, html, see_other, with_cookie,
};

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    shell: Shell,
    job: Job,
    /// What it was started for, in words.
    filter: String,
}

pub(in crate::pages) async fn job(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named<JobId>,
) -> Page {
    let job = pages.shared().failed.job(signed.expose_token(), id).await?;
    let shell = signed.shell(Section::Failed);
    let filter = job.filter.to_string();
    let words = chosen::in_words(&shell, pages.registry()?, &signed.by.scope, &filter);
    html(&JobPage {
        job,
        filter: words.unwrap_or(filter),
        shell,
    })
}

pub(in crate::pages) async fn cancel(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named<JobId>,
) -> Page {
    let failed = &pages.shared().failed;
    let page = see_other(&format!("/resends/{id}"));
    match failed.cancel(signed.expose_token(), id).await {
        Ok(()) => {
            let cookie = Notice::JobCancelled.cookie(signed.context().jar());
            Ok(with_cookie(page, cookie))
        }
        // Its page says how it ended.
        Err(NotAnswered::JobEnded) => Ok(page),
        Err(why) => Err(why.into()),
    }
}

impl JobPage {
    fn is_discard(&self) -> bool {
        self.job.action == domain::JobAction::Discard
    }

    fn is_failed(&self) -> bool {
        self.job.state == JobState::Failed
    }
}
