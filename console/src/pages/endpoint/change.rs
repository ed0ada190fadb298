//! Changing an endpoint. The form carries the version that it shows: where
//! somebody else has changed the endpoint meanwhile, the page says what, and what
//! was typed stays.

use axum::extract::State;
use axum::http::StatusCode;

use super::conflict::Conflict;
use super::create::{Existing, FormPage};
use super::fields::Typed;
use super::{name, page_of};
use crate::endpoints::{Found, Precondition, Refusal};
use crate::web::{Form, Named, Notice, Page, Pages, Signed, html, see_other, with_cookie};

pub(in crate::pages) async fn edit(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named,
) -> Page {
    let found = pages.registry()?.get(&signed.by.scope, id).await?;
    let typed = Typed::of(&found.endpoint);
    html(&page(&pages, &signed, typed, &found)?)
}

pub(in crate::pages) async fn change(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named,
    form: Form,
) -> Page {
    let language = signed.language();
    let registry = pages.registry()?;
    let found = registry.get(&signed.by.scope, id).await?;
    let mut page = page(&pages, &signed, Typed::read(&form), &found)?;
    let shown: u64 = form.text("version").parse().unwrap_or_default();
    if form.text("do") != "save" {
        // A row more or less: the form still shows the version that it did.
        page.keeps_version(shown);
        return html(&page);
    }
    let (mut fields, mut errors) = page.typed.fields(language);
    // A form always has a URL; without this an empty one would leave the old.
    fields.url.get_or_insert_default();
    if !errors.is_empty() {
        let mistakes = registry.judge(fields);
        page.typed.add(&mut errors, language, &mistakes);
        page.keeps_version(shown);
        page.errors = errors;
        return page.refused();
    }
    let on = Precondition::Version(vec![shown]);
    match registry.change(&signed.by, id, &on, fields).await {
        Ok(changed) => {
            let is_same = changed.endpoint.version == shown;
            let notice = if is_same {
                Notice::NothingChanged
            } else {
                Notice::Changed
            };
            let cookie = notice.cookie(signed.context().jar());
            Ok(with_cookie(see_other(&page_of(id)), cookie))
        }
        Err(Refusal::Invalid(mistakes)) => {
            page.typed.add(&mut errors, language, &mistakes);
            page.keeps_version(shown);
            page.errors = errors;
            page.refused()
        }
        Err(Refusal::VersionDiffers { .. }) => {
            let now = registry.get(&signed.by.scope, id).await?;
            page.conflict = Some(Conflict::between(page.shell.t, &page.typed, &now));
            page.keeps_version(now.endpoint.version);
            let mut response = html(&page)?;
            *response.status_mut() = StatusCode::CONFLICT;
            Ok(response)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

fn page(
    pages: &Pages,
    signed: &Signed,
    typed: Typed,
    found: &Found,
) -> Result<FormPage, crate::web::Failure> {
    let mut page = FormPage::new(pages, signed, typed)?;
    let id = found.endpoint.id;
    page.shell = page.shell.back_to(format!("{}/edit", page_of(id)));
    page.existing = Some(Existing {
        id: id.to_string(),
        name: name(&found.endpoint),
        version: found.endpoint.version,
    });
    Ok(page)
}

impl FormPage {
    fn keeps_version(&mut self, version: u64) {
        if let Some(existing) = &mut self.existing {
            existing.version = version;
        }
    }
}
