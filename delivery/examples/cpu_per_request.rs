//! CPU time of one thread that sends, for [`delivery::Client`] and for bare loops
//! with the same headers and body. The receiver is a thread of its own, whose time
//! is not counted.
//!
//! `cargo run --release -p delivery --example cpu_per_request [requests] [connections] [only]`

use std::cell::Cell;
use std::io::Write as _;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use delivery::{Client, Connector, Egress, Guard, GuardSettings, Limits, Target};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinSet, LocalSet};

const BODY: usize = 1024;
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse().ok());
    let requests: u64 = numbers.next().unwrap_or(200_000);
    let connections: u64 = numbers.next().unwrap_or(64);
    let port = receiver();
    let guard = Guard::new(GuardSettings {
        allow_plain_http_to_loopback: true,
        ..GuardSettings::default()
    });
    let target = guard
        .check_url(&format!("http://127.0.0.1:{port}/hook"))
        .expect("the literal loopback is allowed here");
    let connector = Connector::new(guard, Limits::default(), &Egress::default());
    let connector = Arc::new(connector.expect("the defaults can be used"));
    let body = Bytes::from(vec![b'x'; BODY]);

    for _ in 0..3 {
        report("bytes on a socket", requests, |left| {
            workers(connections, |_| raw(port, Rc::clone(&left), body.clone()))
        });
        report("bare hyper, a task a connection", requests, |left| {
            workers(connections, |_| bare(port, Rc::clone(&left), body.clone()))
        });
        let client = Rc::new(Client::new(Arc::clone(&connector)));
        report("delivery::Client", requests, |left| {
            workers(connections, |_| {
                ours(
                    Rc::clone(&client),
                    target.clone(),
                    Rc::clone(&left),
                    body.clone(),
                )
            })
        });
    }
}

fn fill(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        let value = HeaderValue::from_str(value).expect("visible ASCII");
        headers.insert(HeaderName::from_static(name), value);
    }
}

const HEADERS: [(&str, &str); 8] = [
    ("x-feedbackpro-event", "rating_submitted"),
    (
        "x-feedbackpro-signature",
        "sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    ("idempotency-key", "evt_0123456789abcdef0123456789abcdef"),
    ("webhook-id", "evt_0123456789abcdef0123456789abcdef"),
    ("webhook-timestamp", "1718460000"),
    (
        "webhook-signature",
        "v1,MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    ),
    ("x-feedbackpro-attempt", "1"),
    (
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
];

async fn ours(client: Rc<Client>, target: Target, left: Rc<Cell<u64>>, body: Bytes) {
    while next(&left) {
        let attempt = client.outgoing(&target, fill, body.clone()).send().await;
        assert!(attempt.outcome.is_success(), "{attempt:?}");
    }
}

async fn bare(port: u16, left: Rc<Cell<u64>>, body: Bytes) {
    let tcp = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("the receiver listens");
    tcp.set_nodelay(true).expect("a TCP socket");
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await;
    let (mut sender, connection) = handshake.expect("no I/O happens here");
    let mut tasks = JoinSet::new();
    tasks.spawn_local(connection);
    while next(&left) {
        let mut request = Request::post("/hook")
            .header("host", "127.0.0.1")
            .header("content-type", "application/json; charset=utf-8")
            .header("user-agent", "bare")
            .body(Full::new(body.clone()))
            .expect("a valid request");
        fill(request.headers_mut());
        sender.ready().await.expect("open");
        let response = sender.send_request(request).await.expect("an answer");
        assert!(response.status().is_success());
        let _body = response.into_body().collect().await.expect("a body");
    }
}

async fn raw(port: u16, left: Rc<Cell<u64>>, body: Bytes) {
    let mut tcp = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("the receiver listens");
    tcp.set_nodelay(true).expect("a TCP socket");
    let mut head =
        format!("POST /hook HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-length: {BODY}\r\n");
    for (name, value) in HEADERS {
        head += &format!("{name}: {value}\r\n");
    }
    let message = [head.as_bytes(), b"\r\n", &body].concat();
    let mut answer = [0; 4096];
    while next(&left) {
        tcp.write_all(&message).await.expect("open");
        assert_eq!(tcp.read(&mut answer).await.expect("open"), ANSWER.len());
    }
}

fn next(left: &Cell<u64>) -> bool {
    let before = left.get();
    left.set(before.saturating_sub(1));
    before > 0
}

/// Runs one worker a connection to their end.
fn workers<F: Future<Output = ()> + 'static>(connections: u64, worker: impl Fn(u64) -> F) {
    let local = LocalSet::new();
    local.block_on(&runtime(), async {
        let mut tasks: JoinSet<()> =
            (0..connections)
                .map(worker)
                .fold(JoinSet::new(), |mut tasks, worker| {
                    tasks.spawn_local(worker);
                    tasks
                });
        while let Some(done) = tasks.join_next().await {
            done.expect("no worker panics");
        }
    });
}

fn report(what: &str, requests: u64, run: impl Fn(Rc<Cell<u64>>)) {
    if std::env::args()
        .nth(3)
        .is_some_and(|only| !what.contains(&only))
    {
        return;
    }
    let (began, cpu) = (Instant::now(), cpu_seconds());
    run(Rc::new(Cell::new(requests)));
    #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
    let thousands = requests as f64 / 1000.0;
    let cpu = (cpu_seconds() - cpu) / thousands;
    let rate = thousands / began.elapsed().as_secs_f64();
    writeln!(
        std::io::stdout().lock(),
        "{what:<34} {cpu:.5} CPU-s per 1 000 requests, {rate:.1} thousand/s"
    )
    .expect("standard output is open");
}

/// The time this thread has had, from the scheduler's own count.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanos = text
        .split(' ')
        .next()
        .and_then(|text| text.parse::<f64>().ok());
    nanos.expect("nanoseconds come first") / 1e9
}

fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made")
}

/// Answers each request at once, knowing only where its body ends.
fn receiver() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        LocalSet::new().block_on(&runtime(), async {
            let listener = TcpListener::from_std(listener).expect("a runtime is running");
            let mut tasks = JoinSet::new();
            loop {
                let (tcp, _) = listener.accept().await.expect("a connection");
                tasks.spawn_local(answer(tcp));
            }
        });
    });
    port
}

async fn answer(mut tcp: TcpStream) {
    tcp.set_nodelay(true).expect("a TCP socket");
    let mut buffer = vec![0; 16 * 1024];
    let mut filled = 0;
    while let Ok(read @ 1..) = tcp.read(&mut buffer[filled..]).await {
        filled += read;
        let head = buffer[..filled]
            .windows(4)
            .position(|four| four == b"\r\n\r\n");
        if head.is_some_and(|head| filled >= head + 4 + BODY) {
            filled = 0;
            if tcp.write_all(ANSWER).await.is_err() {
                return;
            }
        }
    }
}
