//! Language and theme: cookies, so that they hold before a sign-in and without a
//! script.

use std::time::Duration;

use axum::response::Response;

use crate::web::{Context, Form, Language, Theme, own_page, see_other, with_cookie};

/// How long a choice holds.
const A_YEAR: Duration = Duration::from_secs(365 * 86400);

pub(super) async fn change(context: Context, form: Form) -> Response {
    let mut response = see_other(own_page(form.text("back")).unwrap_or("/"));
    if let Some(language) = Language::parse(form.text("language")) {
        let cookie = context.jar().set("language", language.tag(), A_YEAR);
        response = with_cookie(response, cookie);
    }
    if let Some(theme) = Theme::parse(form.text("theme")) {
        let cookie = context.jar().set("theme", theme.as_str(), A_YEAR);
        response = with_cookie(response, cookie);
    }
    response
}
