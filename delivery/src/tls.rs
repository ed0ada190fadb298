//! TLS towards endpoints, and its errors in words.

use std::io;
use std::path::Path;
use std::sync::Arc;

use domain::Cause;
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{AlertDescription, CertificateError, ClientConfig, Error, RootCertStore};

use crate::attempt::{CertificateFault, Failure};
use crate::connector::SetupError;

/// Sessions remembered for resumption, eight for a server at most. A session takes
/// a few KiB.
const SESSIONS: usize = 2048;

/// Mozilla's roots, and those of a PEM file beside them.
pub(crate) fn client_config(extra_ca: Option<&Path>) -> Result<ClientConfig, SetupError> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(path) = extra_ca {
        let wrong = |reason: String| SetupError::ExtraCa {
            path: path.to_owned(),
            reason,
        };
        let mut found = 0;
        for certificate in CertificateDer::pem_file_iter(path).map_err(|e| wrong(e.to_string()))? {
            let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
            roots.add(certificate).map_err(|e| wrong(e.to_string()))?;
            found += 1;
        }
        if found == 0 {
            return Err(wrong("it holds no certificate".to_owned()));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(SetupError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    Ok(config)
}

/// The failure of an I/O error with a TLS error inside; `None` for any other.
pub(crate) fn failure(error: &io::Error) -> Option<Failure> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(Failure {
        certificate: certificate_fault(error),
        ..Failure::new(Cause::Tls, words(error))
    })
}

fn words(error: &Error) -> String {
    if let Error::InvalidCertificate(certificate) = error {
        certificate_words(certificate)
    } else if let Error::AlertReceived(alert) = error {
        format!("the endpoint ended the handshake: {}", alert_words(*alert))
    } else if let Error::PeerIncompatible(_) | Error::NoApplicationProtocol = error {
        format!("the endpoint has no TLS version or cipher in common with us: {error}")
    } else if let Error::InvalidMessage(_) = error {
        "the endpoint's answer is not TLS".to_owned()
    } else {
        error.to_string()
    }
}

fn certificate_fault(error: &Error) -> Option<CertificateFault> {
    use CertificateError as E;
    let Error::InvalidCertificate(error) = error else {
        return None;
    };
    if let E::Expired | E::ExpiredContext { .. } = error {
        Some(CertificateFault::Expired)
    } else if let E::UnknownIssuer = error {
        Some(CertificateFault::UnknownIssuer)
    } else if let E::NotValidForName | E::NotValidForNameContext { .. } = error {
        Some(CertificateFault::OtherName)
    } else {
        None
    }
}

fn certificate_words(error: &CertificateError) -> String {
    use CertificateError as E;
    let words = if let E::Expired | E::ExpiredContext { .. } = error {
        "the certificate has expired"
    } else if let E::NotValidYet | E::NotValidYetContext { .. } = error {
        "the certificate is not valid yet"
    } else if let E::UnknownIssuer = error {
        "the certificate's issuer is unknown: self-signed, or an intermediate certificate is missing"
    } else if let E::NotValidForName = error {
        "the certificate is for another host name"
    } else if let E::NotValidForNameContext {
        expected,
        presented,
    } = error
    {
        let presented: Vec<&str> = presented.iter().map(|name| name_in(name)).collect();
        return format!(
            "the certificate is not for {}, but for {}",
            expected.to_str(),
            presented.join(", ")
        );
    } else if let E::Revoked = error {
        "the certificate has been revoked"
    } else if let E::BadSignature = error {
        "the certificate's signature is wrong"
    } else {
        return format!("the certificate is not valid: {error}");
    };
    words.to_owned()
}

/// rustls gives names as `DnsName("www.shop.example")`.
fn name_in(shown: &str) -> &str {
    let name = shown.strip_prefix("DnsName(\"");
    name.and_then(|name| name.strip_suffix("\")"))
        .unwrap_or(shown)
}

fn alert_words(alert: AlertDescription) -> String {
    if alert == AlertDescription::HandshakeFailure {
        "it accepts none of our versions and ciphers".to_owned()
    } else if alert == AlertDescription::CertificateRequired {
        "it wants a client certificate".to_owned()
    } else if alert == AlertDescription::UnrecognisedName {
        "it does not know this host name".to_owned()
    } else {
        format!("{alert:?}")
    }
}
