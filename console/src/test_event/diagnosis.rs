//! What is wrong with an endpoint, as far as an attempt tells: one case for each
//! thing that its owner would do about it. Pure.

use delivery::CertificateFault;
use domain::{Cause, Outcome};
use schemars::JsonSchema;

/// What is wrong with an endpoint. The words of pages stand elsewhere, by
/// [`Diagnosis::as_str`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum Diagnosis {
    /// No whole answer within the time limit: answer first, work afterwards.
    TooSlow,
    /// DNS does not know the name: correct the URL, or wait for the record.
    NameUnknown,
    /// Nothing listens there, or a firewall is in the way.
    Unreachable,
    /// The certificate has expired: renew it.
    CertificateExpired,
    /// No known authority has issued the certificate: send the intermediate
    /// certificates too, or get a public one.
    CertificateUntrusted,
    /// The certificate is for another name: correct it, or the URL.
    CertificateOtherName,
    /// Otherwise no TLS: no version or cipher in common, or no TLS at all.
    NoTls,
    /// The name leads to an address that is not public.
    AddressNotAllowed,
    /// The answer was no HTTP, or broke off.
    NotHttp,
    /// 3xx: redirects are not followed, enter the URL where it ends.
    Redirected,
    /// 401 or 403: the endpoint wants a header, or refuses the signature.
    AccessDenied,
    /// 404: no such path there.
    NotFound,
    /// 405: the path does not take POST.
    MethodNotAllowed,
    /// 410: the endpoint wants no more. A delivery so answered disables it.
    Gone,
    /// 429 or 503: too busy for now.
    Overloaded,
    /// Another 4xx: the endpoint does not like the request.
    Rejected,
    /// Another 5xx: the endpoint's program failed, its log says why.
    ServerError,
    /// Another status.
    UnexpectedStatus,
}

impl Diagnosis {
    /// What an attempt's outcome tells; `None` where nothing is wrong.
    pub(crate) fn of(outcome: Outcome, certificate: Option<CertificateFault>) -> Option<Self> {
        let cause = match outcome {
            Outcome::Answered { status, .. } => return Self::of_status(status),
            Outcome::Failed(cause) => cause,
        };
        Some(match cause {
            Cause::Timeout => Self::TooSlow,
            Cause::Dns => Self::NameUnknown,
            Cause::Connect => Self::Unreachable,
            Cause::Tls => match certificate {
                Some(CertificateFault::Expired) => Self::CertificateExpired,
                Some(CertificateFault::UnknownIssuer) => Self::CertificateUntrusted,
                Some(CertificateFault::OtherName) => Self::CertificateOtherName,
                None => Self::NoTls,
            },
            Cause::ForbiddenAddress => Self::AddressNotAllowed,
            Cause::Protocol => Self::NotHttp,
            Cause::Status => Self::UnexpectedStatus,
        })
    }

    /// What the record of an attempt tells: a cause and a status, as far as there
    /// were. It does not know of certificates, which are [`NoTls`](Self::NoTls) then.
    pub(crate) fn recorded(cause: Option<Cause>, status: Option<u16>) -> Option<Self> {
        let outcome = match (cause, status) {
            (None | Some(Cause::Status), Some(status)) => Outcome::Answered {
                status,
                retry_after: None,
            },
            (Some(cause), _) => Outcome::Failed(cause),
            (None, None) => return None,
        };
        Self::of(outcome, None)
    }

    const fn of_status(status: u16) -> Option<Self> {
        Some(match status {
            200..=299 => return None,
            300..=399 => Self::Redirected,
            401 | 403 => Self::AccessDenied,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            410 => Self::Gone,
            429 | 503 => Self::Overloaded,
            400..=499 => Self::Rejected,
            500..=599 => Self::ServerError,
            _ => Self::UnexpectedStatus,
        })
    }

    /// The word in the API, and the key of the words on pages.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::TooSlow => "too_slow",
            Self::NameUnknown => "name_unknown",
            Self::Unreachable => "unreachable",
            Self::CertificateExpired => "certificate_expired",
            Self::CertificateUntrusted => "certificate_untrusted",
            Self::CertificateOtherName => "certificate_other_name",
            Self::NoTls => "no_tls",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::NotHttp => "not_http",
            Self::Redirected => "redirected",
            Self::AccessDenied => "access_denied",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Gone => "gone",
            Self::Overloaded => "overloaded",
            Self::Rejected => "rejected",
            Self::ServerError => "server_error",
            Self::UnexpectedStatus => "unexpected_status",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_diagnosis() {
        let answered = |status| {
            let retry_after = None;
            let outcome = Outcome::Answered {
                status,
                retry_after,
            };
            Diagnosis::of(outcome, None).map(Diagnosis::as_str)
        };
        for (status, word) in [
            (200, None),
            (299, None),
            (100, Some("unexpected_status")),
            (301, Some("redirected")),
            (308, Some("redirected")),
            (400, Some("rejected")),
            (401, Some("access_denied")),
            (403, Some("access_denied")),
            (404, Some("not_found")),
            (405, Some("method_not_allowed")),
            (410, Some("gone")),
            (422, Some("rejected")),
            (429, Some("overloaded")),
            (500, Some("server_error")),
            (502, Some("server_error")),
            (503, Some("overloaded")),
            (999, Some("unexpected_status")),
        ] {
            assert_eq!(answered(status), word, "{status}");
        }
        let failed = |cause, certificate| {
            Diagnosis::of(Outcome::Failed(cause), certificate).map(Diagnosis::as_str)
        };
        for (cause, certificate, word) in [
            (Cause::Timeout, None, "too_slow"),
            (Cause::Dns, None, "name_unknown"),
            (Cause::Connect, None, "unreachable"),
            (Cause::Tls, None, "no_tls"),
            (
                Cause::Tls,
                Some(CertificateFault::Expired),
                "certificate_expired",
            ),
            (
                Cause::Tls,
                Some(CertificateFault::UnknownIssuer),
                "certificate_untrusted",
            ),
            (
                Cause::Tls,
                Some(CertificateFault::OtherName),
                "certificate_other_name",
            ),
            (Cause::ForbiddenAddress, None, "address_not_allowed"),
            (Cause::Protocol, None, "not_http"),
        ] {
            assert_eq!(failed(cause, certificate), Some(word), "{cause:?}");
        }
        let recorded = |cause, status| Diagnosis::recorded(cause, status).map(Diagnosis::as_str);
        for (cause, status, word) in [
            (None, None, None),
            (None, Some(200), None),
            (Some(Cause::Status), Some(301), Some("redirected")),
            (Some(Cause::Timeout), None, Some("too_slow")),
            // Headers came, and then the body did not.
            (Some(Cause::Protocol), Some(200), Some("not_http")),
        ] {
            assert_eq!(recorded(cause, status), word, "{cause:?} {status:?}");
        }
    }
}
