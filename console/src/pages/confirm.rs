//! What must be said before something is done that cannot be undone.

use askama::Template;

use crate::web::{Shell, filters};

#[derive(Template)]
#[template(path = "confirm.html")]
pub(super) struct ConfirmPage {
    pub(super) shell: Shell,
    pub(super) title: &'static str,
    /// Other people's text.
    pub(super) subject: String,
    pub(super) consequences: Vec<String>,
    pub(super) button: &'static str,
    /// Where the form is sent to.
    pub(super) action: String,
    pub(super) back: String,
    /// The version that was looked at.
    pub(super) version: u64,
    pub(super) is_dangerous: bool,
}
