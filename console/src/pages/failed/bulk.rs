//! The selected, or all that match: counted first, then a job.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::{FailedFilter, JobAction, Timestamp};

use super::super::chosen;
use super::{filter_of, list_of};
use crate::failed_list::Forecast;
use crate::web::{
    Failure, Form, Notice, Page, Pages, Section, Shell, Signed, filters, html, see_other,
    with_cookie,
};

#[derive(Template)]
#[template(path = "failed_ask.html")]
struct AskPage {
    shell: Shell,
    action: JobAction,
    forecast: Forecast,
    /// By what all that match are chosen, in words; `None` for a selection.
    chosen: Option<String>,
    /// The list that the person comes from.
    list: String,
    /// What the job is started with.
    fields: Vec<(&'static str, String)>,
}

/// Whoever comes back to the question is asked anew, on the list.
pub(in crate::pages) async fn to_list(_: Signed) -> Response {
    see_other("/failed")
}

pub(in crate::pages) async fn ask(State(pages): State<Pages>, signed: Signed, form: Form) -> Page {
    let (action, selected) = match form.text("do") {
        "resend_selected" => (JobAction::Resend, true),
        "discard_selected" => (JobAction::Discard, true),
        "resend_all" => (JobAction::Resend, false),
        "discard_all" => (JobAction::Discard, false),
        _ => return Err(Failure::BadRequest),
    };
    let mut filter = filter_of(&pages, &signed, &form)?;
    let list = list_of(&filter);
    let shell = signed.shell(Section::Failed).back_to(list.clone());
    let mut chosen = None;
    if selected {
        let ids: Vec<String> = form.all("id").map(str::to_owned).collect();
        if ids.is_empty() {
            return Ok(nothing_selected(&signed, &list));
        }
        filter = FailedFilter {
            ids: Some(ids),
            ..FailedFilter::default()
        };
    } else {
        let (registry, scope) = (pages.registry()?, &signed.by.scope);
        chosen = chosen::in_words(&shell, registry, scope, &filter.to_string());
        // What fails from now on was not counted.
        filter.until = filter.until.or_else(|| Some(Timestamp::now()));
    }
    let failed = &pages.shared().failed;
    let forecast = failed.forecast(signed.expose_token(), &filter, action);
    html(&AskPage {
        action,
        forecast: forecast.await?,
        fields: fields(action, &filter),
        chosen,
        list,
        shell,
    })
}

pub(in crate::pages) async fn start(
    State(pages): State<Pages>,
    signed: Signed,
    form: Form,
) -> Page {
    let wanted = form.text("action");
    let action = JobAction::ALL.into_iter().find(|it| it.as_str() == wanted);
    let action = action.ok_or(Failure::BadRequest)?;
    let ids: Vec<String> = form.all("id").map(str::to_owned).collect();
    let mut filter = filter_of(&pages, &signed, &form)?;
    filter.ids = Some(ids).filter(|ids| !ids.is_empty());
    if filter.ids.is_none() && filter.until.is_none() {
        // Of no page of ours: it would take more than was counted.
        return Err(Failure::BadRequest);
    }
    let failed = &pages.shared().failed;
    let job = failed.start(signed.expose_token(), &filter, action).await?;
    Ok(see_other(&format!("/resends/{}", job.id)))
}

fn nothing_selected(signed: &Signed, list: &str) -> Response {
    let cookie = Notice::NothingSelected.cookie(signed.context().jar());
    with_cookie(see_other(list), cookie)
}

fn fields(action: JobAction, filter: &FailedFilter) -> Vec<(&'static str, String)> {
    let mut fields = vec![("action", action.as_str().to_owned())];
    fields.extend(crate::failed_list::parameters(filter));
    let ids = filter.ids.iter().flatten();
    fields.extend(ids.map(|id| ("id", id.clone())));
    fields
}

impl AskPage {
    fn is_discard(&self) -> bool {
        self.action == JobAction::Discard
    }
}
