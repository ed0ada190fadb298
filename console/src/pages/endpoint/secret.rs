//! The signing secret: shown on request, which the audit tells, and rotated.

use axum::extract::State;

use super::super::confirm::ConfirmPage;
use super::details::{self, Revealed};
use super::lifecycle::{done, version};
use super::{name, page_of};
use crate::endpoints::Refusal;
use crate::web::{Form, Named, Notice, Page, Pages, Section, Signed, html, see_other};

pub(in crate::pages) async fn reveal(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named,
) -> Page {
    let secrets = pages.registry()?.reveal(&signed.by, id).await?;
    let revealed = Revealed {
        current: secrets.current.expose().to_owned(),
        previous: secrets
            .previous
            .as_ref()
            .map(|(secret, _)| secret.expose().to_owned()),
    };
    details::page(&pages, &signed, id, Some(revealed)).await
}

/// Whoever comes back to the page of a revealed secret sees the endpoint without it.
pub(in crate::pages) async fn hidden(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named,
) -> Page {
    pages.registry()?.get(&signed.by.scope, id).await?;
    Ok(see_other(&page_of(id)))
}

pub(in crate::pages) async fn ask_rotate(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named,
) -> Page {
    let found = pages.registry()?.get(&signed.by.scope, id).await?;
    let shell = signed.shell(Section::Endpoints);
    let t = &shell.t.rotate;
    let mut consequences = vec![t.both.to_owned(), t.afterwards.to_owned()];
    if let Some(until) = details::previous_until(&found.endpoint, shell.now) {
        consequences.push(t.again(shell.language.moment(until)));
    }
    html(&ConfirmPage {
        title: t.title,
        subject: name(&found.endpoint),
        consequences,
        button: t.button,
        action: format!("{}/rotate", page_of(id)),
        back: page_of(id),
        version: found.endpoint.version,
        is_dangerous: false,
        shell,
    })
}

/// For the version that was looked at: a button that is pressed twice rotates once.
pub(in crate::pages) async fn rotate(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named,
    form: Form,
) -> Page {
    let on = version(&form);
    let rotated = pages.registry()?.rotate_secret(&signed.by, id, &on).await;
    match rotated {
        Ok(_) => Ok(done(&signed, id, Notice::Rotated)),
        Err(Refusal::VersionDiffers { .. }) => Ok(done(&signed, id, Notice::ChangedMeanwhile)),
        Err(refusal) => Err(refusal.into()),
    }
}
