//! An egress proxy: a tunnel by CONNECT (RFC 9110 section 9.3.6).

use std::time::Instant;

use bytes::Bytes;
use domain::Cause;
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use tokio::net::TcpStream;
use url::Url;

use crate::attempt::Failure;
use crate::connector::SetupError;
use crate::exchange::{Ended, Wire};
use crate::limits::Limits;
use crate::stream::Stream;
use crate::target::Origin;

/// Where the proxy is. It is the operator's, so the guard does not judge it.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Proxy {
    /// Reads `http://host:port`.
    pub(crate) fn parse(text: &str) -> Result<Self, SetupError> {
        let wrong = |reason: &str| SetupError::Proxy {
            reason: reason.to_owned(),
        };
        let url = Url::parse(text).map_err(|e| wrong(&e.to_string()))?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if url.scheme() != "http" || !bare {
            return Err(wrong("write http://host:port"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("user names and passwords are not supported"));
        }
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        Ok(Self { host, port })
    }
}

/// Asks the proxy at the other end for a tunnel to the origin, by name: the proxy
/// resolves it anew and must check addresses too.
pub(crate) async fn connect(
    tcp: TcpStream,
    origin: &Origin,
    limits: &Limits,
    deadline: Instant,
) -> Result<TcpStream, Failure> {
    let failed = |text: String| Failure::new(Cause::Connect, text);
    let authority = format!("{}:{}", origin.host, origin.port);
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.method_mut() = Method::CONNECT;
    let host = HeaderValue::try_from(authority.as_str());
    let host = host.map_err(|e| failed(e.to_string()))?;
    request.headers_mut().insert(HOST, host);
    let authority = Authority::try_from(authority);
    *request.uri_mut() = Uri::from(authority.map_err(|e| failed(e.to_string()))?);

    let wire = Wire::new(Stream::plain(tcp), limits).await;
    let mut wire = wire.map_err(|e| failed(e.to_string()))?;
    match wire.exchange(request, limits, deadline).await {
        Ended::Answered(response) if response.status.is_success() => {
            // The server of a TLS connection never speaks first.
            match wire.into_parts() {
                Some((stream, early)) if early.is_empty() => stream
                    .into_tcp()
                    .ok_or_else(|| failed("the proxy's stream is not plain".to_owned())),
                Some(_) => Err(failed("the proxy sent data before the tunnel".to_owned())),
                None => Err(failed("the egress proxy closed the connection".to_owned())),
            }
        }
        Ended::Answered(response) => Err(failed(format!(
            "the egress proxy answered {} to CONNECT",
            response.status.as_u16()
        ))),
        Ended::Unsent(_) => Err(failed("the egress proxy closed the connection".to_owned())),
        Ended::Silent(failure) | Ended::Failed { failure, .. } => {
            let cause = if failure.cause == Cause::Timeout {
                Cause::Timeout
            } else {
                Cause::Connect
            };
            let text = format!("egress proxy: {}", failure.text);
            Err(Failure::new(cause, text))
        }
    }
}
