//! The demo shop: a product page with the feedback widget, and beside it what
//! the endpoint receives. Served on the receiver's port.

mod language;
mod page;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use service::problem::{ABOUT_BLANK, Problem};
use tokio_util::sync::CancellationToken;

use crate::{
    demo,
    receiver::{self, Receiver},
};
use language::Language;
use page::Pages;

/// Where the page is.
pub(crate) const PATH: &str = "/shop";

/// What the page loads: name, type, content.
const FILES: [(&str, &str, &str); 4] = [
    (
        "/shop/shop.css",
        "text/css; charset=utf-8",
        include_str!("../shop/shop.css"),
    ),
    (
        "/shop/shop.js",
        "text/javascript; charset=utf-8",
        include_str!("../shop/shop.js"),
    ),
    (
        "/shop/widget.js",
        "text/javascript; charset=utf-8",
        include_str!("../shop/widget.js"),
    ),
    (
        "/shop/mug.svg",
        "image/svg+xml",
        include_str!("../shop/mug.svg"),
    ),
];

/// The demo shop.
pub(crate) struct Shop {
    pages: Pages,
    receiver: Arc<Receiver>,
    /// The only origin, and the one that the widget's token is bound to.
    origin: String,
    policy: HeaderValue,
    /// Tells this run's deliveries from those of another.
    run: String,
    open: CancellationToken,
    stop: CancellationToken,
}

/// The origin of pages on the receiver's port.
pub(crate) fn origin(receiver_port: u16) -> String {
    format!("http://127.0.0.1:{receiver_port}")
}

impl Shop {
    /// A shop whose widget posts to the producer on this port. It opens with
    /// `open`; at `stop` those who watch are let go.
    ///
    /// # Errors
    /// When the page asks for a text that a language does not have.
    pub(crate) fn new(
        receiver: Arc<Receiver>,
        producer_port: u16,
        tokens: &demo::Tokens,
        open: CancellationToken,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let origin = tokens.origin.clone();
        let producer = format!("http://127.0.0.1:{producer_port}");
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
             connect-src 'self' {producer}; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        );
        Ok(Self {
            pages: Pages::new(&[
                ("producer", &producer),
                ("token", &tokens.widget),
                ("endpoint", &format!("{origin}/webhooks/feedback")),
            ])?,
            receiver,
            origin,
            policy: policy.parse()?,
            run: demo::random_hex(),
            open,
            stop,
        })
    }
}

/// The page, its files, and the feed.
pub(crate) fn routes(shop: Shop) -> Router {
    let shop = Arc::new(shop);
    let mut router = Router::new()
        .route(PATH, get(page))
        .route("/shop/received", get(received));
    for (path, kind, content) in FILES {
        let file = async move || ([(header::CONTENT_TYPE, kind)], content);
        router = router.route(path, get(file));
    }
    router
        .layer(from_fn_with_state(Arc::clone(&shop), guard))
        .with_state(shop)
}

async fn page(State(shop): State<Arc<Shop>>, headers: HeaderMap) -> Response {
    let wanted = headers.get_all(header::ACCEPT_LANGUAGE).iter();
    let language = Language::preferred(wanted.filter_map(|value| value.to_str().ok()));
    let about = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_LANGUAGE, language.tag()),
        (header::VARY, "Accept-Language"),
    ];
    (about, shop.pages.of(language)).into_response()
}

async fn received(State(shop): State<Arc<Shop>>) -> impl IntoResponse {
    receiver::feed(Arc::clone(&shop.receiver), &shop.run, shop.stop.clone())
}

/// Answers under one origin only: the widget's token holds there alone, and a
/// foreign name that leads to 127.0.0.1 would read what came in.
async fn guard(State(shop): State<Arc<Shop>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let path = request.uri().path();
    let mut response = if !shop.open.is_cancelled() {
        let detail = "the samples have not arrived yet";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, ABOUT_BLANK, detail)
            .retry_after(1)
            .into_response()
    } else if shop.origin.strip_prefix("http://") == Some(host) {
        next.run(request).await
    } else if shop.origin.replace("127.0.0.1", "localhost") == format!("http://{host}") {
        Redirect::temporary(&format!("{}{path}", shop.origin)).into_response()
    } else {
        let detail = format!("the demo shop is at {}{PATH} only", shop.origin);
        Problem::new(StatusCode::MISDIRECTED_REQUEST, ABOUT_BLANK, detail).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, shop.policy.clone());
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Under no-referrer a beacon has `Origin: null` (Fetch standard, 3.2).
        (header::REFERRER_POLICY, "strict-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
