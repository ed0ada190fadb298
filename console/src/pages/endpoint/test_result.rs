//! How a test event ended, in words: what happened, and what to do about it.

use domain::Cause;

use crate::test_event::{Diagnosis, ShownRequest, TestResult};
use crate::web::{JsonView, Language, Messages};

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
            wrong: result.diagnosis.map(|diagnosis| diagnosed(t, diagnosis)),
            reason,
            response: result.response_body.map(JsonView::of),
            request: result.request.map(Preview::of),
        }
    }
}

/// What is wrong, and what to do about it.
fn diagnosed(t: &'static Messages, diagnosis: Diagnosis) -> (&'static str, &'static str) {
    let (wrong, remedy) = (&t.diagnosis, &t.remedy);
    match diagnosis {
        Diagnosis::TooSlow => (wrong.too_slow, remedy.too_slow),
        Diagnosis::NameUnknown => (wrong.name_unknown, remedy.name_unknown),
        Diagnosis::Unreachable => (wrong.unreachable, remedy.unreachable),
        Diagnosis::CertificateExpired => (wrong.certificate_expired, remedy.certificate_expired),
        Diagnosis::CertificateUntrusted => {
            (wrong.certificate_untrusted, remedy.certificate_untrusted)
        }
        Diagnosis::CertificateOtherName => {
            (wrong.certificate_other_name, remedy.certificate_other_name)
        }
        Diagnosis::NoTls => (wrong.no_tls, remedy.no_tls),
        Diagnosis::AddressNotAllowed => (wrong.address_not_allowed, remedy.address_not_allowed),
        Diagnosis::NotHttp => (wrong.not_http, remedy.not_http),
        Diagnosis::Redirected => (wrong.redirected, remedy.redirected),
        Diagnosis::AccessDenied => (wrong.access_denied, remedy.access_denied),
        Diagnosis::NotFound => (wrong.not_found, remedy.not_found),
        Diagnosis::MethodNotAllowed => (wrong.method_not_allowed, remedy.method_not_allowed),
        Diagnosis::Gone => (wrong.gone, remedy.gone),
        Diagnosis::Overloaded => (wrong.overloaded, remedy.overloaded),
        Diagnosis::Rejected => (wrong.rejected, remedy.rejected),
        Diagnosis::ServerError => (wrong.server_error, remedy.server_error),
        Diagnosis::UnexpectedStatus => (wrong.unexpected_status, remedy.unexpected_status),
    }
}
