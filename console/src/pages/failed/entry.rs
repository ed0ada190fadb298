//! One entry: why it was given up, what it carries, and off the list with it.

use askama::Template;
use axum::extract::State;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{DeliveryId, JobAction};

use super::super::confirm::ConfirmPage;
use super::super::diagnosis::Told;
use super::super::endpoint::name;
use super::super::outcomes::{self, Resend};
use super::{in_path, left};
use crate::endpoints::Found;
use crate::failed_list::{Entry, NotAnswered};
use crate::web::{
    JsonView, Named, Notice, Page, Pages, Section, Shell, Signed, filters, html, see_other,
    with_cookie,
};

#[derive(Template)]
#[template(path = "failed_entry.html")]
struct EntryPage {
    shell: Shell,
    path: String,
    entry: Entry,
    /// Where its time line is, where it is a delivery.
    delivery: Option<DeliveryId>,
    /// What its endpoint is called; `None` when that is deleted or unknown.
    endpoint: Option<String>,
    why: &'static str,
    /// Why its last attempt failed.
    told: Told,
    payload: Option<JsonView>,
    resend: Resend,
}

pub(in crate::pages) async fn show(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named<String>,
) -> Page {
    let failed = &pages.shared().failed;
    let entry = match failed.entry(signed.expose_token(), &id).await {
        Err(NotAnswered::Absent) => return left::page(&pages, &signed, &id).await,
        entry => entry?,
    };
    let shell = signed.shell(Section::Failed);
    let registry = pages.registry()?;
    let endpoint = entry.endpoint_id.as_ref().and_then(|id| id.parse().ok());
    let endpoint = endpoint.and_then(|id| registry.known(&signed.by.scope, id).ok());
    html(&EntryPage {
        path: format!("/failed/{}", in_path(&id)),
        delivery: id.parse().ok(),
        resend: Resend::of(shell.t, endpoint.as_ref().map(Found::state)),
        endpoint: endpoint.map(|found| name(&found.endpoint)),
        why: outcomes::given_up(shell.t, entry.reason),
        told: Told::by(shell.t, entry.last_status, entry.last_error.as_deref()),
        payload: payload(&entry),
        entry,
        shell,
    })
}

fn payload(entry: &Entry) -> Option<JsonView> {
    if let Some(json) = &entry.payload {
        return Some(JsonView::of(json.get()));
    }
    let bytes = STANDARD.decode(entry.payload_base64.as_ref()?).ok()?;
    Some(JsonView::of(String::from_utf8_lossy(&bytes)))
}

/// To its time line, where there is one that can show what comes.
pub(in crate::pages) async fn resend(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named<String>,
) -> Page {
    let failed = &pages.shared().failed;
    let token = signed.expose_token();
    match failed.take_off(token, &id, JobAction::Resend).await {
        Err(NotAnswered::Absent) => return left::page(&pages, &signed, &id).await,
        taken => taken?,
    }
    let jar = signed.context().jar();
    if let Ok(id) = id.parse() {
        let attempts = &pages.shared().log.attempts;
        let found = attempts.delivery(signed.by.scope.clone().into(), id).await;
        if matches!(found, Ok(Some(_))) {
            let page = see_other(&format!("/deliveries/{id}"));
            return Ok(with_cookie(page, Notice::SentAgain.cookie(jar)));
        }
    }
    Ok(with_cookie(
        see_other("/failed"),
        Notice::LeftList.cookie(jar),
    ))
}

pub(in crate::pages) async fn ask_discard(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named<String>,
) -> Page {
    let failed = &pages.shared().failed;
    // Asked here, so that nobody is asked about what is not there.
    let entry = match failed.entry(signed.expose_token(), &id).await {
        Err(NotAnswered::Absent) => return left::page(&pages, &signed, &id).await,
        entry => entry?,
    };
    let shell = signed.shell(Section::Failed);
    let t = &shell.t.failed;
    let path = format!("/failed/{}", in_path(&id));
    html(&ConfirmPage {
        title: t.discard_title,
        subject: entry.id,
        consequences: vec![t.discard_text.to_owned(), t.discard_for_good.to_owned()],
        button: t.discard,
        action: format!("{path}/discard"),
        back: path,
        version: 0,
        is_dangerous: true,
        shell,
    })
}

pub(in crate::pages) async fn discard(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named<String>,
) -> Page {
    let failed = &pages.shared().failed;
    let token = signed.expose_token();
    match failed.take_off(token, &id, JobAction::Discard).await {
        Err(NotAnswered::Absent) => return left::page(&pages, &signed, &id).await,
        taken => taken?,
    }
    let cookie = Notice::Discarded.cookie(signed.context().jar());
    Ok(with_cookie(see_other("/failed"), cookie))
}
