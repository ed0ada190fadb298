//! What came to a receiver.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};
use serde_json::Value;

/// A request, as it came.
#[derive(Debug)]
pub struct Request {
    /// When its headers had arrived, by the wall clock.
    pub at: SystemTime,
    /// The same moment, by the clock that nobody sets.
    pub instant: Instant,
    /// The number of the connection, from 1.
    pub connection: u64,
    pub method: Method,
    /// With the query, where there is one.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The how-manieth with this `webhook-id` to this path, from 1.
    pub attempt: usize,
    /// How many requests to this path were in work, with this one.
    pub in_flight: usize,
    status: OnceLock<u16>,
    ended: OnceLock<Instant>,
}

impl Request {
    /// A header as text; "" where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The event's id: the header `webhook-id`.
    #[must_use]
    pub fn webhook_id(&self) -> &str {
        self.header("webhook-id")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the request's body is JSON")
    }

    /// When it came, in milliseconds since 1970.
    #[must_use]
    pub fn at_millis(&self) -> u64 {
        let since = self
            .at
            .duration_since(UNIX_EPOCH)
            .expect("the clock is set");
        u64::try_from(since.as_millis()).expect("not before the year 584 million")
    }

    /// The status it was answered with; `None` while (or because) it was not.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status.get().copied()
    }

    /// The time from its arrival until the whole answer was handed over or
    /// the client left; `None` until then.
    #[must_use]
    pub fn lasted(&self) -> Option<Duration> {
        self.ended
            .get()
            .map(|ended| ended.duration_since(self.instant))
    }

    /// Checks both signatures with this secret, `whsec_...`: by an
    /// implementation of its own and by the crate `standardwebhooks`.
    ///
    /// # Errors
    /// What is missing or wrong, in words.
    pub fn verify(&self, secret: &str) -> Result<(), String> {
        super::signature::verify(self, secret)
    }

    pub(super) fn set_status(&self, status: u16) {
        self.status.get_or_init(|| status);
    }
}

/// A request before it is in the log.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) at: SystemTime,
    pub(super) instant: Instant,
    pub(super) connection: u64,
    pub(super) head: Parts,
    pub(super) body: Bytes,
}

/// All requests in the order of their arrival.
#[derive(Debug, Default)]
pub struct Log {
    requests: Vec<Arc<Request>>,
    /// Path -> event id -> its requests, as indices.
    paths: BTreeMap<String, Path>,
}

#[derive(Debug, Default)]
struct Path {
    by_id: HashMap<String, Vec<usize>>,
    in_flight: usize,
    most_in_flight: usize,
}

impl Log {
    /// All requests.
    #[must_use]
    pub fn all(&self) -> &[Arc<Request>] {
        &self.requests
    }

    /// How many requests there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.requests.len()
    }

    /// The requests to paths that begin with `prefix`.
    #[must_use]
    pub fn to(&self, prefix: &str) -> Vec<Arc<Request>> {
        let to = self
            .requests
            .iter()
            .filter(|request| request.path.starts_with(prefix));
        to.map(Arc::clone).collect()
    }

    /// The requests to these paths with this `webhook-id`: its attempts.
    #[must_use]
    pub fn attempts(&self, prefix: &str, id: &str) -> Vec<Arc<Request>> {
        let mut indices: Vec<usize> = self
            .under(prefix)
            .filter_map(|path| path.by_id.get(id))
            .flatten()
            .copied()
            .collect();
        indices.sort_unstable();
        indices
            .into_iter()
            .map(|index| Arc::clone(&self.requests[index]))
            .collect()
    }

    /// How many different events came to each of these paths, added up. Cheap.
    #[must_use]
    pub fn events(&self, prefix: &str) -> usize {
        self.under(prefix).map(|path| path.by_id.len()).sum()
    }

    /// How many requests to these paths repeated one that had come before.
    #[must_use]
    pub fn repeats(&self, prefix: &str) -> usize {
        let again = |path: &Path| {
            path.by_id
                .values()
                .map(|requests| requests.len() - 1)
                .sum::<usize>()
        };
        self.under(prefix).map(again).sum()
    }

    /// The most requests that were ever in work at once, to one of these paths.
    #[must_use]
    pub fn most_in_flight(&self, prefix: &str) -> usize {
        self.under(prefix)
            .map(|path| path.most_in_flight)
            .max()
            .unwrap_or_default()
    }

    fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Path> {
        let from = self.paths.range(prefix.to_owned()..);
        from.take_while(move |(path, _)| path.starts_with(prefix))
            .map(|(_, path)| path)
    }

    /// One line a path, for the message of a failed test.
    pub(super) fn summary(&self) -> String {
        let mut text = format!("{} requests came.", self.total());
        for (name, path) in &self.paths {
            let requests: usize = path.by_id.values().map(Vec::len).sum();
            let (events, open) = (path.by_id.len(), path.in_flight);
            write!(
                text,
                "\n  {name}: {requests} requests, {events} events, {open} in work"
            )
            .expect("text grows");
        }
        text
    }

    pub(super) fn add(&mut self, arrival: Arrival) -> Arc<Request> {
        let Arrival {
            at,
            instant,
            connection,
            head,
            body,
        } = arrival;
        let name = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let id = head
            .headers
            .get("webhook-id")
            .and_then(|id| id.to_str().ok())
            .unwrap_or_default();
        let path = match self.paths.get_mut(name) {
            Some(path) => path,
            None => self.paths.entry(name.to_owned()).or_default(),
        };
        path.in_flight += 1;
        path.most_in_flight = path.most_in_flight.max(path.in_flight);
        let attempts = path.by_id.entry(id.to_owned()).or_default();
        attempts.push(self.requests.len());
        let request = Arc::new(Request {
            at,
            instant,
            connection,
            attempt: attempts.len(),
            in_flight: path.in_flight,
            path: name.to_owned(),
            method: head.method,
            headers: head.headers,
            body,
            status: OnceLock::new(),
            ended: OnceLock::new(),
        });
        self.requests.push(Arc::clone(&request));
        request
    }

    pub(super) fn end(&mut self, request: &Request) {
        request.ended.get_or_init(Instant::now);
        if let Some(path) = self.paths.get_mut(&request.path) {
            path.in_flight -= 1;
        }
    }
}
