//! The way to the collector: one POST a batch, on a connection of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::uri::{PathAndQuery, Scheme};
use axum::http::{HeaderValue, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// From the look-up of the name to the end of the answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// An answer is a few bytes.
const MOST_OF_ANSWER: usize = 64 * 1024;

/// Sends over HTTP/1.1.
#[derive(Debug)]
pub(super) struct Collector {
    /// Where the URL begins with `https`.
    tls: Option<TlsConfig>,
    /// Whether the last POST failed: said once.
    failing: AtomicBool,
}

type TlsConfig = (Arc<ClientConfig>, ServerName<'static>);

impl Collector {
    /// # Errors
    /// When the URL's host is none that a certificate could hold.
    pub(super) fn new(url: &Uri) -> Result<Self, HttpError> {
        let tls = if url.scheme() == Some(&Scheme::HTTPS) {
            let name = ServerName::try_from(host(url).to_owned())?;
            Some((Arc::new(tls_config()?), name))
        } else {
            None
        };
        Ok(Self {
            tls,
            failing: AtomicBool::new(false),
        })
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let url = request.uri();
        let port = if self.tls.is_some() { 443 } else { 80 };
        let to = (host(url), url.port_u16().unwrap_or(port));
        let stream = TcpStream::connect(to).await?;
        match &self.tls {
            Some((config, name)) => {
                let connector = TlsConnector::from(Arc::clone(config));
                let stream = connector.connect(name.clone(), stream).await?;
                exchange(stream, request).await
            }
            None => exchange(stream, request).await,
        }
    }

    fn tell(&self, outcome: &Result<Response<Bytes>, HttpError>) {
        let wrong = match outcome {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("it answers {}", response.status())),
            Err(error) => Some(error.to_string()),
        };
        let failed = self.failing.swap(wrong.is_some(), Ordering::Relaxed);
        match wrong {
            Some(error) if !failed => {
                tracing::warn!(error, "the collector does not take spans: they are dropped");
            }
            None if failed => tracing::info!("the collector takes spans again"),
            Some(_) | None => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let outcome = timeout(TIMEOUT, self.send(request)).await;
        let outcome = outcome.unwrap_or_else(|_| Err("it does not answer in time".into()));
        self.tell(&outcome);
        outcome
    }
}

/// Without the brackets of an IPv6 address.
fn host(url: &Uri) -> &str {
    let host = url.host().unwrap_or_default();
    host.trim_start_matches('[').trim_end_matches(']')
}

fn tls_config() -> Result<ClientConfig, rustls::Error> {
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

async fn exchange<S>(stream: S, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut parts, body) = request.into_parts();
    let url = std::mem::take(&mut parts.uri);
    let authority = url.authority().map_or("", |authority| authority.as_str());
    let host = HeaderValue::from_str(authority)?;
    parts.headers.insert(header::HOST, host);
    let path = url.path_and_query().cloned();
    parts.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    let request = Request::from_parts(parts, Full::new(body));

    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let answer = async move {
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, MOST_OF_ANSWER).collect().await?;
        Ok::<_, HttpError>(Response::from_parts(parts, body.to_bytes()))
    };
    // The connection ends with its sender, which ends with the answer.
    let (closed, answer) = tokio::join!(connection, answer);
    answer.map_err(|error| closed.err().map_or(error, |closed| closed.into()))
}
