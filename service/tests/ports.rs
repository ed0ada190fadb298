//! The admin routes and the server, over real TCP.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::{get, post};
use prometheus::{IntCounter, Registry};
use reqwest::{Client, Response};
use service::health::Health;
use service::{admin, body, problem};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

struct Port {
    addr: SocketAddr,
    shutdown: CancellationToken,
    serving: JoinSet<std::io::Result<()>>,
}

impl Port {
    async fn open(router: Router) -> Self {
        let listener = admin::bind("admin.listen", ([127, 0, 0, 1], 0).into())
            .await
            .expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let shutdown = CancellationToken::new();
        let mut serving = JoinSet::new();
        serving.spawn(admin::serve(listener, router, shutdown.clone()));
        Self {
            addr,
            shutdown,
            serving,
        }
    }

    async fn get(&self, path: &str) -> Response {
        let url = format!("http://{}{path}", self.addr);
        Client::new().get(url).send().await.expect("an answer")
    }

    /// Stops and gives the time until `serve` returned.
    async fn stop(mut self) -> Duration {
        let start = Instant::now();
        self.shutdown.cancel();
        while let Some(served) = self.serving.join_next().await {
            served.expect("no panic").expect("no error");
        }
        start.elapsed()
    }
}

async fn text(mut response: Response) -> String {
    let mut all = Vec::new();
    while let Some(chunk) = response.chunk().await.expect("a body") {
        all.extend_from_slice(&chunk);
    }
    String::from_utf8(all).expect("UTF-8")
}

#[tokio::test]
async fn readiness_names_what_is_missing_and_liveness_what_failed() {
    let health = Health::new();
    let table = health.condition("endpoint table loaded");
    let broker = health.condition("broker reached");
    let port = Port::open(admin::routes(health.clone(), Registry::new())).await;

    let answer = port.get("/readyz").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        text(answer).await,
        "endpoint table loaded\nbroker reached\n"
    );
    table.set(true);
    assert_eq!(text(port.get("/readyz").await).await, "broker reached\n");
    broker.set(true);
    assert_eq!(port.get("/readyz").await.status(), StatusCode::OK);
    assert_eq!(text(port.get("/livez").await).await, "ok\n");

    health.fail("the producer was fenced");
    for path in ["/readyz", "/livez"] {
        let answer = port.get(path).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(text(answer).await, "the producer was fenced\n");
    }
    port.stop().await;
}

#[tokio::test]
async fn metrics_are_served_as_prometheus_text() {
    let registry = Registry::new();
    let counter = IntCounter::new("events_accepted_total", "Events accepted.").unwrap();
    registry.register(Box::new(counter.clone())).unwrap();
    counter.inc_by(3);
    let port = Port::open(admin::routes(Health::new(), registry)).await;
    let answer = port.get("/metrics").await;
    let kind = answer.headers()[header::CONTENT_TYPE]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(kind.starts_with("text/plain"), "{kind}");
    assert!(text(answer).await.contains("events_accepted_total 3\n"));
    port.stop().await;
}

#[tokio::test]
async fn unknown_routes_and_wrong_methods_are_problems() {
    let port = Port::open(admin::routes(Health::new(), Registry::new())).await;
    let answer = port.get("/nothing").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        answer.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    let url = format!("http://{}/livez", port.addr);
    let answer = Client::new().post(url).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers()[header::ALLOW], "GET,HEAD");
    assert_eq!(
        answer.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    port.stop().await;
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_answered_with_413_and_not_just_cut() {
    let read = async |body: axum::body::Body| body::read(body, 1024).await.map(|_| "read");
    let port = Port::open(Router::new().route("/", post(read))).await;
    let url = format!("http://{}/", port.addr);
    let answer = Client::new()
        .post(url)
        .body(vec![b'x'; 10_000_000])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(text(answer).await.contains("1024 bytes"));
    port.stop().await;
}

#[tokio::test]
async fn headers_over_the_bound_are_refused() {
    let port = Port::open(Router::new()).await;
    let url = format!("http://{}/", port.addr);
    let answer = Client::new()
        .get(url)
        .header("x-large", "x".repeat(200_000))
        .send()
        .await;
    // The answer may be lost when the connection is closed with headers still unread.
    if let Ok(answer) = answer {
        assert_eq!(answer.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    port.stop().await;
}

#[tokio::test]
async fn a_port_in_use_is_told_with_its_key() {
    let port = Port::open(Router::new()).await;
    let error = admin::bind("http.listen", port.addr).await.unwrap_err();
    let told = error.to_string();
    let start = format!(
        "http.listen: found {}, which is in use by another",
        port.addr
    );
    assert!(told.starts_with(&start), "{told}");
    port.stop().await;
}

/// A router whose one request tells when it has begun and ends when it is told to.
fn held() -> (Router, CancellationToken, CancellationToken) {
    let (begun, go_on) = (CancellationToken::new(), CancellationToken::new());
    let (tell, wait) = (begun.clone(), go_on.clone());
    let route = get(async move || {
        tell.cancel();
        wait.cancelled().await;
        "done"
    });
    (
        problem::with_fallbacks(Router::new().route("/", route)),
        begun,
        go_on,
    )
}

#[tokio::test]
async fn a_stop_lets_a_request_finish_and_closes_idle_connections() {
    let (router, begun, go_on) = held();
    let port = Port::open(router).await;
    let mut idle = TcpStream::connect(port.addr).await.unwrap();
    let url = format!("http://{}/", port.addr);
    let mut request = JoinSet::new();
    request.spawn(async move { text(Client::new().get(url).send().await.unwrap()).await });
    begun.cancelled().await;
    port.shutdown.cancel();
    assert_eq!(idle.read(&mut [0; 16]).await.unwrap(), 0, "closed");
    go_on.cancel();
    assert_eq!(request.join_next().await.unwrap().unwrap(), "done");
    assert!(port.stop().await < Duration::from_secs(2));
}

#[tokio::test]
async fn a_request_that_does_not_finish_is_dropped_after_the_stop_time() {
    let (router, begun, _go_on) = held();
    let port = Port::open(router).await;
    let mut client = TcpStream::connect(port.addr).await.unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    begun.cancelled().await;
    let took = port.stop().await;
    assert!(took >= Duration::from_secs(2), "{took:?}");
    let left = client.read(&mut [0; 16]).await;
    assert!(matches!(left, Ok(0) | Err(_)), "{left:?}");
}

#[tokio::test]
async fn a_body_that_no_handler_reads_does_not_cut_the_answer_off() {
    const LENGTH: usize = 10_000_000;
    let router = Router::new().route("/", post(async || StatusCode::UNAUTHORIZED));
    let port = Port::open(problem::with_fallbacks(router)).await;
    for (path, status) in [("/", 401), ("/nothing", 404)] {
        // A client that sends everything before it reads.
        let mut client = TcpStream::connect(port.addr).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {LENGTH}\r\n\r\n"
        );
        client.write_all(head.as_bytes()).await.unwrap();
        client.write_all(&vec![b'x'; LENGTH]).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        let start = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&start), "{path}: {answer}");
    }
    port.stop().await;
}

#[tokio::test]
async fn who_asks_before_sending_is_answered_without_the_body() {
    let router = Router::new().route("/", post(async || StatusCode::UNAUTHORIZED));
    let port = Port::open(router).await;
    let mut client = TcpStream::connect(port.addr).await.unwrap();
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    port.stop().await;
}
