//! A new endpoint, and a test event before it is saved: one form, several buttons.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{AccountId, DataField, EventKind, Operator};

use super::conflict::Conflict;
use super::fields::Typed;
use super::page_of;
use super::test_result::{Preview, Tested};
use super::words;
use crate::endpoints::Refusal;
use crate::test_event::Wish;
use crate::web::{
    Errors, Failure, Form, Messages, Notice, Page, Pages, Section, Shell, Signed, filters, html,
    see_other, with_cookie,
};

/// The form of an endpoint, new or not.
#[derive(Template)]
#[template(path = "endpoint_form.html")]
pub(super) struct FormPage {
    pub(super) shell: Shell,
    pub(super) typed: Typed,
    /// Which URLs are taken here.
    url_hint: String,
    pub(super) errors: Errors,
    /// The endpoint that is changed; a new one has none.
    pub(super) existing: Option<Existing>,
    pub(super) conflict: Option<Conflict>,
    pub(super) tested: Option<Tested>,
    pub(super) preview: Option<Preview>,
    /// What an operator may choose from.
    pub(super) accounts: Vec<AccountId>,
}

/// The endpoint that a form changes.
pub(super) struct Existing {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: u64,
}

impl FormPage {
    pub(super) fn new(pages: &Pages, signed: &Signed, typed: Typed) -> Result<Self, Failure> {
        let shell = signed.shell(Section::Endpoints).back_to("/endpoints/new");
        let registry = pages.registry()?;
        let accounts = if shell.is_operator() {
            registry.accounts()
        } else {
            Vec::new()
        };
        Ok(Self {
            url_hint: words::url_allowed(shell.t, registry.guard()),
            shell,
            typed,
            errors: Errors::default(),
            existing: None,
            conflict: None,
            tested: None,
            preview: None,
            accounts,
        })
    }

    /// Where the form is sent to.
    fn action(&self) -> String {
        match &self.existing {
            Some(existing) => format!("/endpoints/{}/edit", existing.id),
            None => "/endpoints/new".to_owned(),
        }
    }

    fn operators(&self) -> [(&'static str, &'static str); 4] {
        let t: &'static Messages = self.shell.t;
        Operator::ALL.map(|operator| (operator.as_str(), words::operator(t, operator)))
    }

    fn data_fields(&self) -> [&'static str; 10] {
        DataField::ALL.map(DataField::as_str)
    }

    /// The page with its mistakes, and the status that says there are some.
    pub(super) fn refused(self) -> Page {
        let mut response = html(&self)?;
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        Ok(response)
    }
}

pub(in crate::pages) async fn add(State(pages): State<Pages>, signed: Signed) -> Page {
    html(&FormPage::new(&pages, &signed, Typed::new())?)
}

pub(in crate::pages) async fn to_new(_: Signed) -> Response {
    see_other("/endpoints/new")
}

pub(in crate::pages) async fn create(
    State(pages): State<Pages>,
    signed: Signed,
    form: Form,
) -> Page {
    let language = signed.language();
    let typed = Typed::read(&form);
    let mut page = FormPage::new(&pages, &signed, typed)?;
    if form.text("do") != "save" {
        return html(&page);
    }
    let (fields, mut errors) = page.typed.fields(language);
    let account = account(&page, &signed, &mut errors)?;
    if errors.is_empty() {
        match pages.registry()?.create(&signed.by, account, fields).await {
            Ok(created) => {
                let to = page_of(created.found.endpoint.id);
                let cookie = Notice::Created.cookie(signed.context().jar());
                return Ok(with_cookie(see_other(&to), cookie));
            }
            Err(Refusal::Invalid(mistakes)) => page.typed.add(&mut errors, language, &mistakes),
            Err(Refusal::TooMany { limit }) => {
                errors.add("url", page.shell.t.form_error.too_many_endpoints(limit));
            }
            Err(refusal) => return Err(refusal.into()),
        }
    } else {
        // What could not be read is missing: judge the rest all the same.
        let mistakes = pages.registry()?.judge(fields);
        page.typed.add(&mut errors, language, &mistakes);
    }
    page.errors = errors;
    page.refused()
}

/// The account that an operator has named. Others have their own.
fn account(
    page: &FormPage,
    signed: &Signed,
    errors: &mut Errors,
) -> Result<Option<AccountId>, Failure> {
    if !page.shell.is_operator() {
        return Ok(None);
    }
    match page.typed.account.parse() {
        Ok(account) => Ok(Some(signed.by.account(Some(account))?)),
        Err(_) => {
            errors.add("account", page.shell.t.form_error.account_missing);
            Ok(None)
        }
    }
}

/// Sends a test event to what the form describes, or shows what would go out.
pub(in crate::pages) async fn test_draft(
    State(pages): State<Pages>,
    signed: Signed,
    form: Form,
) -> Page {
    let language = signed.language();
    let mut page = FormPage::new(&pages, &signed, Typed::read(&form))?;
    let (draft, mut errors) = page.typed.draft(language);
    let account = account(&page, &signed, &mut errors)?;
    let wish = Wish {
        event: page.typed.test_event.unwrap_or(EventKind::NewFeedback),
        traceparent: None,
    };
    let tester = &pages.shared().tester;
    if errors.is_empty() {
        let refusal = if form.text("do") == "preview" {
            match tester.preview_draft(draft, wish) {
                Ok(request) => {
                    page.preview = Some(Preview::of(request));
                    return html(&page);
                }
                Err(refusal) => refusal,
            }
        } else {
            match tester.send_draft(&signed.by, account, draft, wish).await {
                Ok(result) => {
                    page.tested = Some(Tested::of(language, result));
                    return html(&page);
                }
                Err(refusal) => refusal,
            }
        };
        match refusal {
            Refusal::Invalid(mistakes) => page.typed.add(&mut errors, language, &mistakes),
            Refusal::TooManyTests { limit, retry_after } => {
                let t = &page.shell.t.test;
                errors.add("event", t.too_many(limit, retry_after));
            }
            refusal @ (Refusal::Account(_)
            | Refusal::NotFound
            | Refusal::VersionDiffers { .. }
            | Refusal::TooMany { .. }
            | Refusal::Sealed(_)
            | Refusal::Unavailable(_)) => return Err(refusal.into()),
        }
    }
    page.errors = errors;
    page.refused()
}
