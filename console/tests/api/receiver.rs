//! A customer's endpoint on this machine.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What it got.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Answers every request alike. Ends when it is dropped.
pub(crate) struct Receiver {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    _task: JoinSet<()>,
}

impl Receiver {
    pub(crate) async fn start(status: u16, body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?a=1", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&received);
        let router = Router::new().fallback(async move |request: Request| {
            let (parts, content) = request.into_parts();
            let got = Received {
                headers: parts.headers,
                body: to_bytes(content, 64 * 1024).await.unwrap(),
            };
            keep.lock().unwrap().push(got);
            let status = StatusCode::from_u16(status).unwrap();
            (status, [("location", "http://127.0.0.1:1/")], body).into_response()
        });
        let mut task = JoinSet::new();
        let serving = service::http::serve(listener, router, CancellationToken::new());
        task.spawn(async move { serving.await.unwrap() });
        Self {
            url,
            received,
            _task: task,
        }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}
