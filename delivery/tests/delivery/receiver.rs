//! Receivers on 127.0.0.1 that do exactly what a test says.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// The receiver's end of one connection.
pub(crate) struct Peer {
    /// Which connection it is, from 0.
    pub(crate) number: usize,
    stream: Box<dyn Bytes>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    /// Reads one request to the end of its body; `None` when the sender has closed.
    pub(crate) async fn request(&mut self) -> Option<String> {
        let mut request = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&request).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                    self.requests.lock().unwrap().push(text.clone());
                    return Some(text);
                }
            }
            if self.stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// Writes bytes; false when the sender has closed.
    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok() && self.stream.flush().await.is_ok()
    }

    /// Gives each request the same answer, until the sender closes.
    pub(crate) async fn answer_all(mut self, answer: &str) {
        while self.request().await.is_some() {
            if !self.write(answer).await {
                break;
            }
        }
    }

    /// Returns when the sender has closed.
    pub(crate) async fn closed(&mut self) {
        let mut rest = [0; 1024];
        while self.stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
    }
}

/// Connections that answer one request each, and are closed when the test says so.
#[derive(Clone)]
pub(crate) struct Closing {
    told: Arc<Semaphore>,
    closed: Arc<Semaphore>,
}

impl Closing {
    pub(crate) fn new() -> Self {
        Self {
            told: Arc::new(Semaphore::new(0)),
            closed: Arc::new(Semaphore::new(0)),
        }
    }

    /// What one connection does.
    pub(crate) async fn script(self, mut peer: Peer) {
        peer.request().await;
        peer.write(OK).await;
        self.told.acquire().await.unwrap().forget();
        peer.stream.shutdown().await.unwrap();
        drop(peer);
        self.closed.add_permits(1);
    }

    /// Closes so many. Returns when the runtime has looked at its sockets since.
    pub(crate) async fn close(&self, connections: u32) {
        self.told.add_permits(connections as usize);
        let closed = self.closed.acquire_many(connections).await;
        closed.unwrap().forget();
        let elsewhere = Receiver::answering(OK).await;
        let mut socket = TcpStream::connect(elsewhere.address).await.unwrap();
        socket.write_all(b"POST / HTTP/1.1\r\n\r\n").await.unwrap();
        socket.read_exact(&mut [0; OK.len()]).await.unwrap();
    }
}

/// A listening receiver; it ends with this value.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    _listening: JoinSet<()>,
}

impl Receiver {
    /// Runs the script for each connection.
    pub(crate) async fn start<F>(script: impl Fn(Peer) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::listen("127.0.0.1:0", None, script).await
    }

    /// Gives each request the same answer.
    pub(crate) async fn answering(answer: &'static str) -> Self {
        Self::start(move |peer| peer.answer_all(answer)).await
    }

    /// The same over TLS.
    pub(crate) async fn tls<F>(
        acceptor: TlsAcceptor,
        script: impl Fn(Peer) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::listen("127.0.0.1:0", Some(acceptor), script).await
    }

    pub(crate) async fn listen<F>(
        address: &str,
        acceptor: Option<TlsAcceptor>,
        script: impl Fn(Peer) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (counted, noted) = (Arc::clone(&connections), Arc::clone(&requests));
        let mut listening = JoinSet::new();
        listening.spawn(async move {
            let mut scripts = JoinSet::new();
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                tcp.set_nodelay(true).unwrap();
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let peer = |stream| Peer {
                    number,
                    stream,
                    requests: Arc::clone(&noted),
                };
                match &acceptor {
                    None => scripts.spawn(script(peer(plain(tcp)))),
                    Some(acceptor) => match acceptor.accept(tcp).await {
                        Ok(tls) => scripts.spawn(script(peer(Box::new(tls)))),
                        Err(_) => continue,
                    },
                };
            }
        });
        Self {
            address,
            connections,
            requests,
            _listening: listening,
        }
    }

    /// `http://127.0.0.1:port/hook`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// How many connections it has had.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests it has read, heads and bodies.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn plain(tcp: TcpStream) -> Box<dyn Bytes> {
    Box::new(tcp)
}

/// A response with this status line and body.
pub(crate) fn response(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}")
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
