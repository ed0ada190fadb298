//! One request and its response on an open connection.

use std::error::Error as _;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use domain::Cause;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::unconstrained;
use tokio::time::sleep_until;

use crate::attempt::Failure;
use crate::limits::Limits;
use crate::retry_after::retry_after;
use crate::stream::Stream;
use crate::tls;

/// An open HTTP/1 connection. Nothing polls it but the request that has it, so it
/// costs no task; whatever happened to it while unused is seen at its next request.
#[derive(Debug)]
pub(crate) struct Wire {
    sender: SendRequest<Full<Bytes>>,
    /// Until it has ended and was dropped.
    connection: Option<Connection<TokioIo<Stream>, Full<Bytes>>>,
    received: Arc<AtomicBool>,
}

/// How an exchange ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// With a response, whose body was read to its end or to the limit.
    Answered(Response),
    /// The connection had been closed: nothing was sent, the request is still whole.
    Unsent(Request<Full<Bytes>>),
    /// It broke after the request was sent and before a byte of an answer.
    Silent(Failure),
    /// Otherwise without a usable answer.
    Failed {
        failure: Failure,
        /// What had arrived of the body.
        start: Vec<u8>,
    },
}

/// The part of a response that matters.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<std::time::Duration>,
    pub(crate) start: Vec<u8>,
    /// The connection can carry another request.
    pub(crate) reusable: bool,
    /// The response's headers, to be used again as a map.
    pub(crate) headers: HeaderMap,
}

/// A response whose body is being read.
struct Reading {
    status: StatusCode,
    headers: HeaderMap,
    body: Incoming,
    size: usize,
    start: Vec<u8>,
}

impl Wire {
    pub(crate) async fn new(stream: Stream, limits: &Limits) -> hyper::Result<Self> {
        let received = stream.received();
        let (sender, connection) = Builder::new()
            .max_buf_size(limits.response_head)
            .handshake(TokioIo::new(stream))
            .await?;
        Ok(Self {
            sender,
            connection: Some(connection),
            received,
        })
    }

    /// The stream, and what had been read beyond the last response; `None` when it
    /// ended.
    pub(crate) fn into_parts(self) -> Option<(Stream, Bytes)> {
        let parts = self.connection?.into_parts();
        Some((parts.io.into_inner(), parts.read_buf))
    }

    /// Sends the request and reads the response. After anything but
    /// [`Response::reusable`] the connection is of no more use.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        limits: &Limits,
        deadline: Instant,
    ) -> Ended {
        self.received.store(false, Ordering::Relaxed);
        // The response comes out of the connection, which is polled right before it:
        // it needs no waker of its own (it would wake this very task once more), and
        // must not be held back by tokio's budget, which would call that waker.
        let mut response = pin!(unconstrained(self.sender.try_send_request(request)));
        let mut timer = pin!(sleep_until(deadline.into()));
        let mut reading = None;
        let mut closed = false;
        let mut ended = poll_fn(|cx| {
            let mut aside = Context::from_waker(Waker::noop());
            loop {
                if let Some(connection) = &mut self.connection
                    && !closed
                {
                    // Errors reach the response or its body.
                    closed = Pin::new(connection).poll(cx).is_ready();
                }
                let reading = match &mut reading {
                    Some(reading) => Some(reading),
                    None => match response.as_mut().poll(&mut aside) {
                        Poll::Pending => None,
                        Poll::Ready(Ok(response)) => Some(reading.insert(Reading::new(response))),
                        Poll::Ready(Err(mut error)) => {
                            if let Some(request) = error.take_message() {
                                return Poll::Ready(Ended::Unsent(request));
                            }
                            let failure = failure(error.error(), None);
                            if !self.received.load(Ordering::Relaxed) {
                                return Poll::Ready(Ended::Silent(failure));
                            }
                            let start = Vec::new();
                            return Poll::Ready(Ended::Failed { failure, start });
                        }
                    },
                };
                let mut more = false;
                if let Some(reading) = reading {
                    let before = reading.size;
                    if let Poll::Ready(ended) = reading.poll(&mut aside, limits) {
                        return Poll::Ready(ended);
                    }
                    more = reading.size > before;
                }
                // A connection that was closed while unused ends without a word to the
                // request in its queue: dropping it gives the request back.
                more |= closed && self.connection.take().is_some();
                if !more {
                    break;
                }
            }
            if timer.as_mut().poll(cx).is_ready() {
                return Poll::Ready(timed_out(reading.as_mut(), limits));
            }
            Poll::Pending
        })
        .await;
        if let Ended::Answered(response) = &mut ended {
            response.reusable = response.reusable && !closed && self.sender.is_ready();
        }
        ended
    }
}

impl Reading {
    fn new(response: http::Response<Incoming>) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
            size: 0,
            start: Vec::new(),
        }
    }

    /// Takes what has arrived of the body.
    fn poll(&mut self, cx: &mut Context<'_>, limits: &Limits) -> Poll<Ended> {
        loop {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(self.answered(true)),
                Poll::Ready(Some(Err(error))) => {
                    let failure = failure(&error, Some(self.status));
                    let start = std::mem::take(&mut self.start);
                    return Poll::Ready(Ended::Failed { failure, start });
                }
                Poll::Ready(Some(Ok(frame))) => {
                    let data = frame.data_ref().map_or(&[][..], |data| data);
                    self.size += data.len();
                    let room = limits.response_start.saturating_sub(self.start.len());
                    self.start.extend(data.iter().take(room));
                    if self.size > limits.response_body {
                        return Poll::Ready(self.answered(false));
                    }
                }
            }
        }
    }

    fn answered(&mut self, reusable: bool) -> Ended {
        let retry_after = if self.status.is_success() {
            None
        } else {
            retry_after(&self.headers, SystemTime::now())
        };
        Ended::Answered(Response {
            status: self.status,
            retry_after,
            start: std::mem::take(&mut self.start),
            reusable,
            headers: std::mem::take(&mut self.headers),
        })
    }
}

fn timed_out(reading: Option<&mut Reading>, limits: &Limits) -> Ended {
    match reading {
        None => Ended::Failed {
            failure: Failure::timeout(limits.timeout, "waiting for the response's headers"),
            start: Vec::new(),
        },
        Some(reading) => Ended::Failed {
            failure: Failure::timeout(
                limits.timeout,
                &format!(
                    "status {} came, but its body did not end ({} bytes so far)",
                    reading.status.as_u16(),
                    reading.size
                ),
            ),
            start: std::mem::take(&mut reading.start),
        },
    }
}

/// What hyper's error means. With a status, the body broke off.
fn failure(error: &hyper::Error, status: Option<StatusCode>) -> Failure {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            if let Some(failure) = tls::failure(io) {
                return failure;
            }
            if let Some(status) = status {
                return broke_off(status, &io.to_string());
            }
            let text = format!("the connection broke before an answer: {io}");
            return Failure::new(Cause::Protocol, text);
        }
        source = inner.source();
    }
    if let Some(status) = status {
        return broke_off(status, &error.to_string());
    }
    let text = if error.is_parse() {
        format!("the response cannot be read as HTTP/1: {error}")
    } else if error.is_incomplete_message() {
        "the connection was closed before the response's headers were complete".to_owned()
    } else {
        format!("no answer: {error}")
    };
    Failure::new(Cause::Protocol, text)
}

fn broke_off(status: StatusCode, why: &str) -> Failure {
    let text = format!(
        "status {} came, but its body broke off: {why}",
        status.as_u16()
    );
    Failure::new(Cause::Protocol, text)
}
