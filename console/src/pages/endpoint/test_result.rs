//! How a test event ended, in words: what happened, and what to do about it.

use domain::Cause;

use crate::pages::diagnosis;
use crate::test_event::{ShownRequest, TestResult};
use crate::web::{JsonView, Language};

/// A request, shown.
pub(super) struct Preview {
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: JsonView,
}

impl Preview {
    pub(super) fn of(request: ShownRequest) -> Self {
        Self {
            url: request.url,
            headers: request.headers.into_iter().collect(),
            body: JsonView::of(request.body),
        }
    }
}

/// How a test event ended.
pub(super) struct Tested {
    pub(super) delivered: bool,
    pub(super) status: Option<u16>,
    pub(super) took: String,
    /// What is wrong, and what to do.
    pub(super) wrong: Option<(&'static str, &'static str)>,
    /// The program's own words.
    pub(super) reason: Option<String>,
    pub(super) response: Option<JsonView>,
    pub(super) request: Option<Preview>,
}

impl Tested {
    pub(super) fn of(language: Language, result: TestResult) -> Self {
        let t = language.messages();
        // Where there is a status it says all that the reason would.
        let reason = result
            .reason
            .filter(|_| result.cause != Some(Cause::Status));
        Self {
            delivered: result.delivered,
            status: result.status,
            took: language.duration(result.took),
            wrong: result.diagnosis.map(|found| diagnosis::words(t, found)),
            reason,
            response: result.response_body.map(JsonView::of),
            request: result.request.map(Preview::of),
        }
    }
}
