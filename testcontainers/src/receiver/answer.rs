//! What a receiver does with a request.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Interval;

use super::{Exchange, Request};

/// What [`Answer::CloseMidBody`] promises in `Content-Length`.
const PROMISED: u64 = 1000;
/// From its first bytes to its end: hyper throws away what it has not written
/// when a body fails.
const PART: Duration = Duration::from_millis(50);

/// What a receiver does with a request.
#[derive(Clone)]
pub enum Answer {
    /// This status, an empty body.
    Status(u16),
    /// This status with headers.
    WithHeaders(u16, Vec<(&'static str, String)>),
    /// This status with a body.
    WithBody(u16, Bytes),
    /// Another answer, later.
    After(Duration, Box<Answer>),
    /// No answer; the connection stays open until the client leaves.
    Hang,
    /// 200 and headers at once, then one byte at each interval, for ever.
    DripBody(Duration),
    /// 200 with a `Content-Length` of 1000, then a few bytes, then the end of
    /// the connection.
    CloseMidBody,
    /// The end of the connection, with no answer.
    HangUp,
    /// This status with a `Location`.
    Redirect(u16, String),
    /// By the attempt: the first answer for the first request with a
    /// `webhook-id` to a path, and so on; the last one from then on.
    Sequence(Vec<Answer>),
    /// 200 for so many requests that came in each second of the clock, then 429
    /// with `Retry-After: 1`.
    PerSecond(u32),
    /// What the test decides for this request.
    Choose(Arc<dyn Fn(&Request) -> Answer + Send + Sync>),
}

impl Answer {
    /// A status after some time.
    #[must_use]
    pub fn after(time: Duration, status: u16) -> Self {
        Self::After(time, Box::new(Self::Status(status)))
    }

    /// Fails `times` times with this status, for each event, then answers 200.
    #[must_use]
    pub fn failing(times: usize, status: u16) -> Self {
        let mut answers = vec![Self::Status(status); times];
        answers.push(Self::Status(200));
        Self::Sequence(answers)
    }

    /// What the test decides for each request.
    pub fn choose(decide: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::Choose(Arc::new(decide))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status)
            | Self::WithHeaders(status, _)
            | Self::WithBody(status, _)
            | Self::Redirect(status, _) => write!(formatter, "{status}"),
            Self::After(time, answer) => write!(formatter, "{answer:?} after {time:?}"),
            Self::Hang => formatter.write_str("hang"),
            Self::DripBody(every) => write!(formatter, "a byte every {every:?}"),
            Self::CloseMidBody => formatter.write_str("close in the middle of the body"),
            Self::HangUp => formatter.write_str("hang up"),
            Self::Sequence(answers) => formatter.debug_list().entries(answers).finish(),
            Self::PerSecond(count) => write!(formatter, "{count} a second"),
            Self::Choose(_) => formatter.write_str("as the test decides"),
        }
    }
}

/// A path prefix and what its requests get.
#[derive(Debug)]
pub(super) struct Route {
    prefix: String,
    answer: Answer,
    /// The second of the clock, and how many requests came in it.
    pace: Mutex<(u64, u32)>,
}

impl Route {
    pub(super) fn new(prefix: &str, answer: Answer) -> Self {
        Self {
            prefix: prefix.to_owned(),
            answer,
            pace: Mutex::default(),
        }
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) async fn respond(
        &self,
        exchange: Exchange,
    ) -> Result<hyper::Response<AnswerBody>, std::io::Error> {
        let mut answer = self.answer.clone();
        loop {
            answer = match answer {
                Answer::Status(status) => return Ok(response(exchange, status, &[], Bytes::new())),
                Answer::WithHeaders(status, headers) => {
                    return Ok(response(exchange, status, &headers, Bytes::new()));
                }
                Answer::WithBody(status, body) => return Ok(response(exchange, status, &[], body)),
                Answer::Redirect(status, location) => {
                    return Ok(response(
                        exchange,
                        status,
                        &[("location", location)],
                        Bytes::new(),
                    ));
                }
                Answer::After(time, next) => {
                    tokio::time::sleep(time).await;
                    *next
                }
                Answer::Hang => std::future::pending().await,
                Answer::DripBody(every) => {
                    let plan = Plan::Drip(Box::new(tokio::time::interval(every)));
                    return Ok(with_plan(exchange, 200, plan));
                }
                Answer::CloseMidBody => {
                    let bytes = Some(Bytes::from_static(b"the first bytes"));
                    let plan = Plan::BreakOff(bytes, Box::new(tokio::time::interval(PART)));
                    return Ok(with_plan(exchange, 200, plan));
                }
                Answer::HangUp => return Err(std::io::Error::other("the test asked for this")),
                Answer::Sequence(mut answers) => {
                    let index = (exchange.request.attempt - 1).min(answers.len() - 1);
                    answers.swap_remove(index)
                }
                Answer::PerSecond(limit) => self.paced(limit, &exchange.request),
                Answer::Choose(decide) => decide(&exchange.request),
            };
        }
    }

    fn paced(&self, limit: u32, request: &Request) -> Answer {
        let second = request.at_millis() / 1000;
        let mut pace = self.pace.lock().expect("no one panics while holding it");
        // One that came before another may be looked at after it.
        if pace.0 < second {
            *pace = (second, 0);
        }
        pace.1 += 1;
        if pace.1 <= limit {
            Answer::Status(200)
        } else {
            Answer::WithHeaders(429, vec![("retry-after", "1".to_owned())])
        }
    }
}

fn response(
    exchange: Exchange,
    status: u16,
    headers: &[(&'static str, String)],
    body: Bytes,
) -> hyper::Response<AnswerBody> {
    let mut response = with_plan(exchange, status, Plan::Whole(body));
    for (name, value) in headers {
        let value = value.parse().expect("the test gives a valid header");
        response.headers_mut().append(*name, value);
    }
    response
}

fn with_plan(exchange: Exchange, status: u16, plan: Plan) -> hyper::Response<AnswerBody> {
    exchange.request.set_status(status);
    let mut response = hyper::Response::new(AnswerBody {
        plan,
        _exchange: exchange,
    });
    *response.status_mut() = status.try_into().expect("the test gives a valid status");
    response
}

/// A response's body; holds the exchange until it has been handed over.
#[derive(Debug)]
pub(super) struct AnswerBody {
    plan: Plan,
    _exchange: Exchange,
}

#[derive(Debug)]
enum Plan {
    Whole(Bytes),
    Drip(Box<Interval>),
    BreakOff(Option<Bytes>, Box<Interval>),
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match &mut self.plan {
            Plan::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Plan::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Plan::Drip(interval) => interval
                .poll_tick(context)
                .map(|_| Some(Ok(Frame::data(Bytes::from_static(b"."))))),
            Plan::BreakOff(bytes, interval) => {
                interval.poll_tick(context).map(|_| match bytes.take() {
                    Some(bytes) => Some(Ok(Frame::data(bytes))),
                    None => Some(Err(std::io::Error::other("the test asked for this"))),
                })
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.plan, Plan::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.plan {
            Plan::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Plan::Drip(_) => SizeHint::default(),
            Plan::BreakOff(..) => SizeHint::with_exact(PROMISED),
        }
    }
}
