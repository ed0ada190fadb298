//! Is everything fine? For now: the endpoints by state, and the way to the first.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::endpoints::StateCounts;
use crate::web::{Page, Pages, Section, Shell, Signed, filters, html, see_other};

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    shell: Shell,
    counts: StateCounts,
}

pub(super) async fn home(_: Signed) -> Response {
    see_other("/overview")
}

pub(super) async fn show(State(pages): State<Pages>, signed: Signed) -> Page {
    let counts = pages.registry()?.counts(&signed.by.scope);
    html(&OverviewPage {
        shell: signed.shell(Section::Overview),
        counts,
    })
}
