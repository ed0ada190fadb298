//! The HTTP/1.1 server of every port. `axum::serve` has no header time-out and leaves open
//! connections running after the stop, hence the loop of its own.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::middleware::from_fn;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::settings::SettingsError;
use crate::{Running, unread};

/// How long open connections may finish after the stop was asked for.
const STOP_TIME: Duration = Duration::from_secs(2);

/// From the first moment of a connection, or the end of the last response on it, to the end
/// of the next request's headers. Longer than the 60 s that proxies commonly keep an idle
/// connection, so that the proxy closes first and no request meets a closed connection.
const HEADER_TIME: Duration = Duration::from_secs(75);

/// Request line and headers together, counted between reads: up to twice as much gets through.
/// Also the largest piece of a body read at once.
const MAX_BUFFER_BYTES: usize = 64 * 1024;

/// Further connections wait in the kernel's backlog.
const MAX_CONNECTIONS: usize = 8192;

/// Connections that may wait to be taken; as many as the standard library asks for.
const BACKLOG: u32 = 1024;

/// Binds `addr`, which stands under `key` in the settings.
///
/// # Errors
/// Names the key, the address and why it cannot be bound.
pub async fn bind(key: &str, addr: SocketAddr) -> Result<TcpListener, SettingsError> {
    TcpListener::bind(addr)
        .await
        .map_err(|error| not_bound(key, addr, &error))
}

fn not_bound(key: &str, addr: SocketAddr, error: &io::Error) -> SettingsError {
    let why = if error.kind() == io::ErrorKind::AddrInUse {
        "in use by another process".to_owned()
    } else {
        format!("not to be had: {error}")
    };
    SettingsError::new(
        key,
        format!("{addr}, which is {why}"),
        "a free address and port of this host, such as 0.0.0.0:8081",
    )
}

/// A port that is served: open from the start, or bound and held until somebody opens it.
/// Until then a client is refused, as if nothing ran yet.
#[derive(Debug)]
pub struct Port(State);

#[derive(Debug)]
enum State {
    Open(TcpListener),
    Held {
        socket: TcpSocket,
        open: CancellationToken,
    },
}

impl From<TcpListener> for Port {
    fn from(listener: TcpListener) -> Self {
        Self(State::Open(listener))
    }
}

impl Port {
    /// Binds `addr`, which stands under `key` in the settings; the port opens once `open` is
    /// cancelled.
    ///
    /// # Errors
    /// Names the key, the address and why it cannot be bound.
    pub fn held(
        key: &str,
        addr: SocketAddr,
        open: &CancellationToken,
    ) -> Result<Self, SettingsError> {
        let bound = || {
            let socket = match addr {
                SocketAddr::V4(_) => TcpSocket::new_v4()?,
                SocketAddr::V6(_) => TcpSocket::new_v6()?,
            };
            socket.set_reuseaddr(true)?;
            socket.bind(addr)?;
            Ok(socket)
        };
        let socket = bound().map_err(|error| not_bound(key, addr, &error))?;
        let open = open.clone();
        Ok(Self(State::Held { socket, open }))
    }

    /// Waits until it is open. `None` when it is not wanted any more before that.
    async fn listen(self, shutdown: &CancellationToken) -> io::Result<Option<TcpListener>> {
        match self.0 {
            State::Open(listener) => Ok(Some(listener)),
            State::Held { socket, open } => {
                if shutdown
                    .run_until_cancelled(open.cancelled())
                    .await
                    .is_none()
                {
                    return Ok(None);
                }
                let addr = socket.local_addr()?;
                // Another process may have held it, too, and was faster.
                let listener = socket.listen(BACKLOG);
                listener.map(Some).map_err(|error| {
                    io::Error::new(error.kind(), format!("{addr} cannot be opened: {error}"))
                })
            }
        }
    }
}

/// Serves until `shutdown`; then takes no new connections, closes idle ones, lets requests
/// finish for 2 s at most and drops what is left. Returns when no connection is open.
/// Handlers get the peer's address as [`ConnectInfo`].
///
/// What a handler does not read of a body is thrown away before its answer is sent.
///
/// # Errors
/// When a held port cannot be opened. A failing accept is tried again after a second.
#[must_use]
pub fn serve(
    port: impl Into<Port>,
    router: Router,
    shutdown: CancellationToken,
) -> Running<io::Error> {
    Box::pin(accept(port.into(), router, shutdown))
}

async fn accept(port: Port, router: Router, shutdown: CancellationToken) -> io::Result<()> {
    let Some(mut listener) = port.listen(&shutdown).await? else {
        return Ok(());
    };
    let router = router.layer(from_fn(unread::discard));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next() => {}
            (stream, peer) = Listener::accept(&mut listener), if connections.len() < MAX_CONNECTIONS => {
                connections.spawn(converse(stream, peer, router.clone(), shutdown.clone()));
            }
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    if timeout(STOP_TIME, finished).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "connections were still busy at the end of the stop time and are dropped"
        );
    }
    connections.shutdown().await;
    Ok(())
}

/// One connection to its end. What a client does wrong here ends only this connection.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    shutdown: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let routed = TowerToHyperService::new(router);
    let routed = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        routed.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(MAX_BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), routed);
    let mut connection = std::pin::pin!(connection);
    let done = tokio::select! {
        done = connection.as_mut() => done,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = done {
        tracing::debug!(%error, "a connection ended early");
    }
}
