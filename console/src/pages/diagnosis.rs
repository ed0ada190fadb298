//! Why an attempt failed, in words: what is wrong, and what to do about it.

use domain::{AttemptRecord, Cause};

use crate::test_event::Diagnosis;
use crate::web::Messages;

/// What is wrong, and what to do about it.
pub(super) fn words(t: &'static Messages, diagnosis: Diagnosis) -> (&'static str, &'static str) {
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

/// What is wrong, by a status and `cause: text` as records have them.
pub(super) fn wrong(
    t: &'static Messages,
    status: Option<u16>,
    error: Option<&str>,
) -> Option<&'static str> {
    let diagnosis = Diagnosis::recorded(error.and_then(cause), status)?;
    Some(words(t, diagnosis).0)
}

fn cause(error: &str) -> Option<Cause> {
    Cause::parse(error.split_once(": ")?.0)
}

/// Why an attempt failed, as its record tells.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// In the page's words.
    pub(super) wrong: Option<&'static str>,
    /// In the program's, where that says more than the status.
    pub(super) technical: Option<String>,
}

impl Told {
    /// From a status and `cause: text`, as records have them.
    pub(super) fn by(t: &'static Messages, status: Option<u16>, error: Option<&str>) -> Self {
        Self {
            wrong: wrong(t, status, error),
            technical: error
                .filter(|error| cause(error) != Some(Cause::Status))
                .map(str::to_owned),
        }
    }

    /// Nothing of a record without an attempt: its status is an earlier one's.
    pub(super) fn of(t: &'static Messages, record: &AttemptRecord) -> Self {
        if record.was_made() {
            Self::by(t, record.status, record.error.as_deref())
        } else {
            Self::default()
        }
    }
}
