//! An endpoint as the guard let it pass, with all that is the same in each request.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING, USER_AGENT};
use http::uri::{InvalidUri, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use rustls::pki_types::ServerName;
use url::Url;

/// Where connections go: equal origins share them.
#[derive(Debug)]
pub(crate) struct Origin {
    /// `scheme://host:port`, always with the port.
    pub(crate) text: Arc<str>,
    pub(crate) scheme: Scheme,
    pub(crate) host: Box<str>,
    pub(crate) port: u16,
    /// The host itself where it is an address; checked when a connection is opened.
    pub(crate) literal: Option<Arc<[IpAddr]>>,
    /// What the certificate must be for.
    pub(crate) server_name: ServerName<'static>,
}

impl Origin {
    /// `None` when the host is no name that a certificate could hold.
    pub(crate) fn new(
        scheme: Scheme,
        host: &str,
        literal: Option<IpAddr>,
        port: u16,
    ) -> Option<Self> {
        let server_name = match literal {
            Some(ip) => ServerName::from(ip),
            None => ServerName::try_from(host).ok()?.to_owned(),
        };
        Some(Self {
            text: format!("{scheme}://{host}:{port}").into(),
            scheme,
            host: host.into(),
            port,
            literal: literal.map(|ip| Arc::from([ip])),
            server_name,
        })
    }
}

/// An endpoint's URL that has passed [`Guard::check_url`], prepared for sending.
/// Make one for each version of an endpoint; clones are cheap.
///
/// [`Guard::check_url`]: crate::Guard::check_url
#[derive(Debug, Clone)]
pub struct Target {
    pub(crate) origin: Arc<Origin>,
    uri: Uri,
    host: HeaderValue,
}

impl Target {
    pub(crate) fn new(origin: Arc<Origin>, url: &Url) -> Result<Self, InvalidUri> {
        let path = match url.query() {
            Some(query) => PathAndQuery::try_from(format!("{}?{query}", url.path())),
            None => PathAndQuery::try_from(url.path()),
        }?;
        let host = match url.port() {
            Some(port) => HeaderValue::try_from(format!("{}:{port}", origin.host)),
            None => HeaderValue::from_str(&origin.host),
        };
        Ok(Self {
            origin,
            uri: Uri::from(path),
            host: host.expect("a parsed host is visible ASCII"),
        })
    }

    /// The host as it will be resolved: lower case, IDNA as `xn--`, IPv6 in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.origin.host
    }

    /// The port, also where the URL does not name it.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.origin.port
    }

    /// All headers of a request to which `fill` adds the attempt's own, for those
    /// who show it: what [`Connector::send_once`](crate::Connector::send_once)
    /// sends with the same `fill` and a body of this length.
    #[must_use]
    pub fn headers(&self, fill: impl Fn(&mut HeaderMap), body_length: usize) -> HeaderMap {
        let mut headers = HeaderMap::new();
        self.fill(&mut headers, fill);
        headers.insert(CONTENT_LENGTH, body_length.into());
        headers
    }

    fn fill(&self, headers: &mut HeaderMap, fill: impl Fn(&mut HeaderMap)) {
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(USER_AGENT, PRODUCT);
        fill(headers);
    }

    /// One request. `headers` is an empty map to use, `fill` adds the attempt's own.
    pub(crate) fn request(
        &self,
        mut headers: HeaderMap,
        fill: impl Fn(&mut HeaderMap),
        body: Bytes,
    ) -> Request<Full<Bytes>> {
        self.fill(&mut headers, fill);
        debug_assert!(
            !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING),
            "hyper frames the body"
        );
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        request
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const PRODUCT: HeaderValue =
    HeaderValue::from_static(concat!("FeedBackPro-Webhooks/", env!("CARGO_PKG_VERSION")));
