//! Pause, resume, delete.

use axum::extract::State;
use domain::EndpointId;

use super::super::confirm::ConfirmPage;
use super::super::waiting::Waits;
use super::{name, page_of};
use crate::endpoints::{Found, Precondition, Refusal};
use crate::web::{Form, Named, Notice, Page, Pages, Section, Signed, html, see_other, with_cookie};

pub(in crate::pages) async fn pause(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named,
) -> Page {
    let registry = pages.registry()?;
    registry.pause(&signed.by, id, &Precondition::None).await?;
    Ok(done(&signed, id, Notice::Paused))
}

pub(in crate::pages) async fn resume(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named,
) -> Page {
    let registry = pages.registry()?;
    registry.resume(&signed.by, id, &Precondition::None).await?;
    Ok(done(&signed, id, Notice::Resumed))
}

pub(in crate::pages) async fn ask_delete(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named,
) -> Page {
    let found: Found = pages.registry()?.get(&signed.by.scope, id).await?;
    let shell = signed.shell(Section::Endpoints);
    let t = &shell.t.delete;
    let waits = Waits::of(&pages, &signed.by.scope, Some(id)).await?;
    let waiting = match waits.map_or(0, |waits| waits.total) {
        0 => t.waiting.to_owned(),
        waiting => t.so_many_wait(waiting),
    };
    let others = [t.no_more, t.secret, t.failed].map(str::to_owned);
    let consequences = others.into_iter().chain([waiting]).collect();
    html(&ConfirmPage {
        title: t.title,
        subject: name(&found.endpoint),
        consequences,
        button: t.button,
        action: format!("{}/delete", page_of(id)),
        back: page_of(id),
        version: found.endpoint.version,
        is_dangerous: true,
        shell,
    })
}

pub(in crate::pages) async fn delete(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named,
    form: Form,
) -> Page {
    let on = version(&form);
    match pages.registry()?.delete(&signed.by, id, &on).await {
        Ok(()) => {
            let cookie = Notice::Deleted.cookie(signed.context().jar());
            Ok(with_cookie(see_other("/endpoints"), cookie))
        }
        Err(Refusal::VersionDiffers { .. }) => Ok(done(&signed, id, Notice::ChangedMeanwhile)),
        Err(refusal) => Err(refusal.into()),
    }
}

/// The version that the person has looked at.
pub(super) fn version(form: &Form) -> Precondition {
    Precondition::Version(form.text("version").parse().into_iter().collect())
}

/// Back to the endpoint, which tells of it.
pub(super) fn done(signed: &Signed, id: EndpointId, notice: Notice) -> axum::response::Response {
    let cookie = notice.cookie(signed.context().jar());
    with_cookie(see_other(&page_of(id)), cookie)
}
