//! Opens connections, to checked addresses only.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use domain::Cause;
use http::HeaderMap;
use http::uri::Scheme;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::timeout_at;
use tokio_rustls::TlsConnector;

use crate::attempt::{Attempt, Failure};
use crate::exchange::Wire;
use crate::guard::Guard;
use crate::limits::Limits;
use crate::lookup::{Answer, Lookup};
use crate::proxy::{self, Proxy};
use crate::resolve::{Resolve, SystemResolver};
use crate::stream::Stream;
use crate::target::{Origin, Target};
use crate::tls;

/// Addresses of a name that are tried, one after the other.
const MAX_TRIED: usize = 8;

/// How requests leave this network.
#[derive(Debug, Clone, Default)]
pub struct Egress {
    /// `http://host:port` of a proxy to go through with CONNECT; proxies named by the
    /// environment are never used. The proxy must refuse addresses that are not public
    /// too: names are checked here where they can be resolved here, but it resolves
    /// them again. Plain `http` targets, which are on this machine, go past it.
    pub proxy: Option<String>,
    /// A PEM file of certificate authorities to trust beside the public ones.
    pub extra_ca: Option<PathBuf>,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The proxy's URL.
    #[error("the egress proxy's URL is wrong: {reason}")]
    Proxy {
        /// What is wrong with it (never its password).
        reason: String,
    },
    /// The file of additional authorities.
    #[error("the CA file {} cannot be used: {reason}", path.display())]
    ExtraCa {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A limit that hyper cannot keep.
    #[error("response_head is {found} bytes, at least 8192 are needed")]
    ResponseHead {
        /// The limit found.
        found: usize,
    },
    /// The TLS library.
    #[error("TLS cannot be set up: {0}")]
    Tls(rustls::Error),
}

/// Opens checked connections. `Send + Sync`; share it in an [`Arc`].
#[derive(Debug)]
pub struct Connector {
    guard: Guard,
    limits: Limits,
    resolver: Arc<dyn Resolve>,
    proxy: Option<Proxy>,
    tls: Arc<ClientConfig>,
}

/// A connection just opened.
pub(crate) struct Opened {
    pub(crate) wire: Box<Wire>,
    /// The address at its other end; `None` through a proxy.
    pub(crate) peer: Option<IpAddr>,
}

impl Connector {
    /// Resolves by the system's resolver.
    ///
    /// # Errors
    /// When the proxy's URL, the CA file or a limit cannot be used.
    pub fn new(guard: Guard, limits: Limits, egress: &Egress) -> Result<Self, SetupError> {
        if limits.response_head < 8192 {
            let found = limits.response_head;
            return Err(SetupError::ResponseHead { found });
        }
        let tls = tls::client_config(egress.extra_ca.as_deref())?;
        Ok(Self {
            guard,
            limits,
            resolver: Arc::new(SystemResolver),
            proxy: egress.proxy.as_deref().map(Proxy::parse).transpose()?,
            tls: Arc::new(tls),
        })
    }

    /// With another resolver.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// The guard that judges its URLs and addresses.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The bounds of each attempt.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Sends one POST on a connection of its own; otherwise like
    /// [`Client::send`](crate::Client::send).
    pub async fn send_once<F>(&self, target: &Target, fill: F, body: Bytes) -> Attempt
    where
        F: Fn(&mut HeaderMap),
    {
        let started = Instant::now();
        let deadline = started + self.limits.timeout;
        let request = target.request(HeaderMap::new(), fill, body);
        let exchanged = async {
            let answer = self.resolve_once(&target.origin, deadline).await?;
            let mut opened = self.open(&target.origin, &answer, deadline).await?;
            Ok(opened.wire.exchange(request, &self.limits, deadline).await)
        };
        let ended = Box::pin(exchanged).await;
        Attempt::new(started, false, ended.unwrap_or_else(Failure::into))
    }

    async fn resolve_once(&self, origin: &Origin, deadline: Instant) -> Answer {
        if let Some(literal) = &origin.literal {
            return Ok(Arc::clone(literal));
        }
        let lookup = self.lookup(origin);
        let answer = lookup.answer(&self.guard, origin, deadline).await;
        self.settle(origin, answer)
    }

    /// Starts to resolve an origin's name.
    pub(crate) fn lookup(&self, origin: &Origin) -> Lookup {
        Lookup::new(self.resolver.resolve(&origin.host))
    }

    /// What a lookup's end means. Behind a proxy a name need not be known here.
    pub(crate) fn settle(&self, origin: &Origin, answer: Option<Answer>) -> Answer {
        let answer = answer.unwrap_or_else(|| {
            let during = format!("resolving {}", origin.host);
            let mut failure = Failure::timeout(self.limits.timeout, &during);
            failure.cause = Cause::Dns;
            Err(failure)
        });
        match answer {
            Err(failure) if failure.cause == Cause::Dns && self.proxy.is_some() => Ok(Arc::new([])),
            answer => answer,
        }
    }

    /// Opens a connection to one of the addresses, or through the proxy.
    pub(crate) async fn open(
        &self,
        origin: &Origin,
        addresses: &[IpAddr],
        deadline: Instant,
    ) -> Result<Opened, Failure> {
        let plain = origin.scheme == Scheme::HTTP;
        let (tcp, peer) = match &self.proxy {
            Some(proxy) if !plain => {
                let tcp = self.dial_proxy(proxy, deadline).await?;
                let tunnel = proxy::connect(tcp, origin, &self.limits, deadline).await?;
                (tunnel, None)
            }
            _ => {
                // Also judges literal addresses, by this guard and not by the one
                // that made the target.
                for address in addresses {
                    self.guard.check_connect(&origin.scheme, *address)?;
                }
                let (tcp, peer) = self.dial(addresses, origin.port, deadline).await?;
                (tcp, Some(peer))
            }
        };
        let stream = if plain {
            Stream::plain(tcp)
        } else {
            let tls = TlsConnector::from(Arc::clone(&self.tls));
            let handshake = tls.connect(origin.server_name.clone(), tcp);
            let tls = self
                .within(deadline, "during the TLS handshake", handshake)
                .await?;
            Stream::tls(tls.map_err(|e| tls_failure(&e))?)
        };
        let wire = Wire::new(stream, &self.limits).await;
        let wire = wire.map_err(|e| Failure::new(Cause::Protocol, e.to_string()))?;
        let wire = Box::new(wire);
        Ok(Opened { wire, peer })
    }

    async fn dial_proxy(&self, proxy: &Proxy, deadline: Instant) -> Result<TcpStream, Failure> {
        let resolved = match proxy.host.parse() {
            Ok(ip) => Ok(vec![ip]),
            Err(_) => {
                let resolving = self.resolver.resolve(&proxy.host);
                self.within(deadline, "resolving the egress proxy", resolving)
                    .await?
            }
        };
        let connected = match resolved {
            Ok(addresses) => self.dial(&addresses, proxy.port, deadline).await,
            Err(e) => Err(Failure::new(Cause::Connect, e.to_string())),
        };
        let (tcp, _) =
            connected.map_err(|f| Failure::new(f.cause, format!("egress proxy: {}", f.text)))?;
        Ok(tcp)
    }

    /// Connects to the first address that accepts. Each has an equal share of the
    /// time that is left, so one that does not answer leaves room for the next.
    async fn dial(
        &self,
        addresses: &[IpAddr],
        port: u16,
        deadline: Instant,
    ) -> Result<(TcpStream, IpAddr), Failure> {
        let mut failure = Failure::new(Cause::Connect, "there is no address to connect to");
        let tried = addresses.len().min(MAX_TRIED);
        for (address, left) in addresses.iter().zip((1..=tried).rev()) {
            let address = SocketAddr::new(*address, port);
            let now = Instant::now();
            let shares = u32::try_from(left).unwrap_or(u32::MAX);
            let until = now + deadline.saturating_duration_since(now) / shares;
            match timeout_at(until.into(), TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => {
                    // A request is one write; waiting to fill a segment only delays it.
                    let _ignored = tcp.set_nodelay(true);
                    return Ok((tcp, address.ip()));
                }
                Ok(Err(e)) => {
                    let text = format!("{address}: {e}");
                    failure = Failure::new(Cause::Connect, text);
                }
                Err(_) => {
                    let during = format!("connecting to {address}");
                    failure = Failure::timeout(self.limits.timeout, &during);
                }
            }
        }
        Err(failure)
    }

    async fn within<T>(
        &self,
        deadline: Instant,
        during: &str,
        step: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let step = timeout_at(deadline.into(), step).await;
        step.map_err(|_| Failure::timeout(self.limits.timeout, during))
    }
}

fn tls_failure(error: &std::io::Error) -> Failure {
    tls::failure(error).unwrap_or_else(|| {
        let text = format!("the connection broke during the TLS handshake: {error}");
        Failure::new(Cause::Tls, text)
    })
}
