//! The receiver of all measurements: as cheap as can be, so that what is
//! measured is the sender. It knows just enough of HTTP to find the end of a
//! request, which endpoint it is for (`/7`), which event and which attempt.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use domain::EventId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, LocalSet};

/// Connections that may wait to be taken.
const BACKLOG: u32 = 4096;
/// Larger than any request of a measurement.
const BUFFER: usize = 16 * 1024;
/// How often a count is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What an endpoint does with a request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Answer {
    /// 200 at once.
    #[default]
    AtOnce,
    /// 200 after a time.
    After(Duration),
    /// A status at once.
    Status(u16),
    /// 500 to the first attempt, 200 to the others.
    FailsFirst,
    /// Nothing, for as long as the sender waits.
    Hangs,
}

/// A request that came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// The endpoint's number.
    pub(crate) endpoint: usize,
    /// Which event; `None` from senders that do not say.
    pub(crate) event: Option<EventId>,
    /// The number of the attempt.
    pub(crate) attempt: u32,
    /// When it was there as a whole.
    pub(crate) at: Instant,
}

#[derive(Debug, Default)]
struct Shared {
    answers: Vec<Answer>,
    arrivals: Vec<Arrival>,
}

/// Listens on a port of 127.0.0.1, on a thread of its own, until dropped.
#[derive(Debug)]
pub(crate) struct Sink {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    pub(crate) fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let (tell, told) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime can be made");
                LocalSet::new().block_on(&runtime, async {
                    let listener = listen();
                    let address = listener.local_addr().expect("it is bound");
                    tell.send(address).expect("the other end waits");
                    tokio::select! {
                        () = serve(listener, shared) => {}
                        _ = stopped => {}
                    }
                });
            }
        });
        Self {
            address: told.recv().expect("the thread tells its address"),
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The URL of an endpoint.
    pub(crate) fn url(&self, endpoint: usize) -> String {
        format!("http://{}/{endpoint}", self.address)
    }

    /// From now on an endpoint does this; at first it answers at once.
    pub(crate) fn answer(&self, endpoint: usize, answer: Answer) {
        let mut shared = lock(&self.shared);
        if shared.answers.len() <= endpoint {
            shared.answers.resize(endpoint + 1, Answer::default());
        }
        shared.answers[endpoint] = answer;
    }

    /// How many requests have come.
    pub(crate) fn count(&self) -> usize {
        lock(&self.shared).arrivals.len()
    }

    /// What has come, in order. The next call begins behind it.
    pub(crate) fn take(&self) -> Vec<Arrival> {
        std::mem::take(&mut lock(&self.shared).arrivals)
    }

    /// Looks at what has come, in order.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&[Arrival]) -> T) -> T {
        look(&lock(&self.shared).arrivals)
    }

    /// Waits until so many requests have come; `seen` is told how many there
    /// are.
    ///
    /// # Panics
    /// When they have not within `deadline`.
    pub(crate) async fn wait_for(&self, count: usize, deadline: Duration, seen: impl Fn(usize)) {
        let start = Instant::now();
        loop {
            let now = self.count();
            seen(now);
            if now >= count {
                return;
            }
            assert!(
                start.elapsed() < deadline,
                "{now} of {count} requests have come within {deadline:?}"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the sink's thread does not panic");
        }
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen() -> TcpListener {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket can be made");
    socket
        .bind((Ipv4Addr::LOCALHOST, 0).into())
        .expect("a port is free");
    socket.listen(BACKLOG).expect("a bound socket can listen")
}

async fn serve(listener: TcpListener, shared: Arc<Mutex<Shared>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                connections.spawn_local(converse(stream, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Answers one request after the other until the sender closes.
async fn converse(mut stream: TcpStream, shared: Arc<Mutex<Shared>>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    while let Ok(read @ 1..) = stream.read(&mut buffer[filled..]).await {
        filled += read;
        let Some(arrival) = Arrival::read(&buffer[..filled]) else {
            continue;
        };
        filled = 0;
        let answer = {
            let mut shared = lock(&shared);
            shared.arrivals.push(arrival);
            let answer = shared.answers.get(arrival.endpoint);
            answer.copied().unwrap_or_default()
        };
        let status = match answer {
            Answer::AtOnce => 200,
            Answer::After(time) => {
                tokio::time::sleep(time).await;
                200
            }
            Answer::Status(status) => status,
            Answer::FailsFirst if arrival.attempt == 1 => 500,
            Answer::FailsFirst => 200,
            Answer::Hangs => {
                // Until the sender closes: it sends nothing more before.
                let closed = stream.read(&mut buffer).await;
                drop(closed);
                return;
            }
        };
        let ok: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        let written = if status == 200 {
            stream.write_all(ok).await
        } else {
            let text = format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(text.as_bytes()).await
        };
        if written.is_err() {
            return;
        }
    }
}

impl Arrival {
    /// A request that is there as a whole. Senders do not send the next before
    /// the answer, so that nothing stands behind it.
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = memchr::memmem::find(bytes, b"\r\n\r\n")?;
        let mut lines = bytes[..end].split(|byte| *byte == b'\n');
        let path = lines.next()?.strip_prefix(b"POST /")?;
        let mut arrival = Self {
            endpoint: number(path)?,
            event: None,
            attempt: 1,
            at: Instant::now(),
        };
        let mut body = 0;
        for line in lines {
            if let Some(value) = line.strip_prefix(b"content-length: ") {
                body = number(value)?;
            } else if let Some(value) = line.strip_prefix(b"webhook-id: ") {
                arrival.event = std::str::from_utf8(value.trim_ascii_end())
                    .ok()?
                    .parse()
                    .ok();
            } else if let Some(value) = line.strip_prefix(b"x-feedbackpro-attempt: ") {
                arrival.attempt = u32::try_from(number(value)?).ok()?;
            }
        }
        (bytes.len() >= end + 4 + body).then_some(arrival)
    }
}

/// The decimal number at the beginning of a text.
fn number(text: &[u8]) -> Option<usize> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    let text = std::str::from_utf8(&text[..digits.count()]).ok()?;
    text.parse().ok()
}
