//! A real HTTP/1.1 receiver, as a customer runs one, that does what the test
//! says and remembers every request.

mod answer;
mod log;
mod signature;

use std::net::SocketAddr;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant, SystemTime};

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use answer::{AnswerBody, Route};
use log::Arrival;

pub use answer::Answer;
pub use log::{Log, Request};

/// Larger than any delivery.
const BODY_LIMIT: usize = 1024 * 1024;
/// A fact about the log is looked for at most this often.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Listens on a random port of 127.0.0.1 until dropped; answers 200 unless
/// told otherwise. Runs on a thread of its own.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    routes: RwLock<Vec<Arc<Route>>>,
    log: std::sync::Mutex<Log>,
    /// Changes with every request and every end of one.
    changed: watch::Sender<()>,
}

impl Receiver {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        let shared = Arc::new(Shared {
            routes: RwLock::new(vec![Arc::new(Route::new("", Answer::Status(200)))]),
            log: std::sync::Mutex::default(),
            changed: watch::Sender::new(()),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener
            .set_nonblocking(true)
            .expect("a socket can be set to not block");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let (stop, stopped) = oneshot::channel();
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = runtime.expect("a runtime can be made");
            runtime.block_on(serve(listener, for_thread, stopped));
        });
        Self {
            address,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Where a path of this receiver is: `http://127.0.0.1:<port><path>`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on, requests whose path begins with `prefix` get this answer;
    /// where several prefixes fit, the longest decides.
    pub fn answer(&self, prefix: &str, answer: Answer) {
        let mut routes = self
            .shared
            .routes
            .write()
            .expect("no one panics while writing");
        routes.retain(|route| route.prefix() != prefix);
        routes.push(Arc::new(Route::new(prefix, answer)));
        routes.sort_by_key(|route| std::cmp::Reverse(route.prefix().len()));
    }

    /// Looks at the log as it is now. Requests wait meanwhile: be quick.
    pub fn look<T>(&self, look: impl FnOnce(&Log) -> T) -> T {
        look(
            &self
                .shared
                .log
                .lock()
                .expect("no one panics while holding it"),
        )
    }

    /// Waits until `fact` finds what it looks for in the log.
    ///
    /// # Panics
    /// When it does not within `deadline`; tells what was waited for and what
    /// came.
    pub async fn wait_for<T>(
        &self,
        what: &str,
        deadline: Duration,
        mut fact: impl FnMut(&Log) -> Option<T>,
    ) -> T {
        let end = tokio::time::Instant::now() + deadline;
        let mut changes = self.shared.changed.subscribe();
        loop {
            if let Some(found) = self.look(&mut fact) {
                return found;
            }
            let change = tokio::time::timeout_at(end, changes.changed()).await;
            assert!(
                change.is_ok(),
                "not within {deadline:?}: {what}. {}",
                self.look(Log::summary)
            );
            // Under load many changes are one look.
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until at least `count` requests came to paths that begin with
    /// `prefix`, and returns them in the order of their arrival.
    ///
    /// # Panics
    /// As [`Receiver::wait_for`].
    pub async fn wait_for_count(
        &self,
        prefix: &str,
        count: usize,
        deadline: Duration,
    ) -> Vec<Arc<Request>> {
        let what = format!("{count} requests to {prefix}");
        self.wait_for(&what, deadline, |log| {
            let found = if log.total() < count {
                Vec::new()
            } else {
                log.to(prefix)
            };
            (found.len() >= count).then_some(found)
        })
        .await
    }

    /// Waits until at least `count` different events came to paths that begin
    /// with `prefix`.
    ///
    /// # Panics
    /// As [`Receiver::wait_for`].
    pub async fn wait_for_events(&self, prefix: &str, count: usize, deadline: Duration) {
        let what = format!("{count} different events to {prefix}");
        self.wait_for(&what, deadline, |log| {
            (log.events(prefix) >= count).then_some(())
        })
        .await;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

async fn serve(
    listener: std::net::TcpListener,
    shared: Arc<Shared>,
    stopped: oneshot::Receiver<()>,
) {
    let listener = TcpListener::from_std(listener).expect("the socket does not block");
    let mut connections = JoinSet::new();
    let mut number = 0;
    let mut stopped = std::pin::pin!(stopped);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted.expect("connections are accepted").0,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            _ = &mut stopped => return,
        };
        number += 1;
        stream
            .set_nodelay(true)
            .expect("a TCP connection takes TCP_NODELAY");
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(|request| respond(number, request, Arc::clone(&shared)));
            let connection = hyper::server::conn::http1::Builder::new();
            // Clients may leave at any time, and some answers break off.
            drop(
                connection
                    .serve_connection(TokioIo::new(stream), service)
                    .await,
            );
        });
    }
}

async fn respond(
    connection: u64,
    request: hyper::Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<hyper::Response<AnswerBody>, std::io::Error> {
    let (at, instant) = (SystemTime::now(), Instant::now());
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_LIMIT).collect().await;
    let body = body
        .map_err(|error| std::io::Error::other(error.to_string()))?
        .to_bytes();
    let arrival = Arrival {
        at,
        instant,
        connection,
        head,
        body,
    };
    let request = shared
        .log
        .lock()
        .expect("no one panics while holding it")
        .add(arrival);
    let exchange = Exchange { request, shared };
    exchange.shared.changed.send_replace(());
    let route = {
        let routes = exchange
            .shared
            .routes
            .read()
            .expect("no one panics while writing");
        let fits = |route: &&Arc<Route>| exchange.request.path.starts_with(route.prefix());
        routes.iter().find(fits).map(Arc::clone)
    };
    let route = route.expect("the empty prefix fits every path");
    route.respond(exchange).await
}

/// A request in work. When dropped, its answer has been handed to the
/// connection to the end, or the client has left.
#[derive(Debug)]
struct Exchange {
    request: Arc<Request>,
    shared: Arc<Shared>,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.shared
            .log
            .lock()
            .expect("no one panics while holding it")
            .end(&self.request);
        self.shared.changed.send_replace(());
    }
}
