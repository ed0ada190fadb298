//! Many requests, from one thread.

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::Full;

use crate::attempt::Attempt;
use crate::connector::{Connector, Opened};
use crate::exchange::{Ended, Wire};
use crate::idle::{Idle, IdleConnections};
use crate::lookup::Answer;
use crate::names::{Names, Waiting};
use crate::target::{Origin, Target};

/// Header maps kept for use again, and the largest that is worth keeping.
const SPARE_MAPS: usize = 64;
const SPARE_CAPACITY: usize = 64;

/// Sends deliveries on kept-alive connections. `!Send`: one thread's own, which is
/// why it takes no lock.
///
/// It has no task in the background. A closed connection is noticed when it would be
/// used next; call [`Client::close_idle`] every few seconds so that others go too.
#[derive(Debug)]
pub struct Client {
    connector: Arc<Connector>,
    names: RefCell<Names>,
    idle: RefCell<IdleConnections>,
    maps: RefCell<Vec<HeaderMap>>,
}

impl Client {
    /// Without any connection yet.
    #[must_use]
    pub fn new(connector: Arc<Connector>) -> Self {
        Self {
            connector,
            names: RefCell::default(),
            idle: RefCell::default(),
            maps: RefCell::default(),
        }
    }

    /// The connector below.
    #[must_use]
    pub fn connector(&self) -> &Arc<Connector> {
        &self.connector
    }

    /// One POST, filled and not sent: see [`Outgoing::send`].
    ///
    /// `Host`, `Content-Type` and `User-Agent` are there, `Content-Length` comes by
    /// itself, `fill` adds the rest ([`PreparedRequest::sign`]). It runs here, and again
    /// in the one case where a request is sent twice: a connection that was reused broke
    /// before a byte of an answer. Most often the endpoint had closed it while unused and
    /// has not seen the request; if it has, the `Idempotency-Key` tells, as at any
    /// repetition. A fresh connection that breaks is a failure.
    ///
    /// [`PreparedRequest::sign`]: crate::PreparedRequest::sign
    pub fn outgoing<'a, F>(&'a self, target: &'a Target, fill: F, body: Bytes) -> Outgoing<'a, F>
    where
        F: Fn(&mut HeaderMap),
    {
        let request = target.request(self.spare_map(), &fill, body.clone());
        Outgoing {
            client: self,
            target,
            fill,
            body,
            request,
        }
    }

    /// Closes connections that have been unused for longer than they may be, and
    /// forgets names.
    pub fn close_idle(&self) {
        let (now, limits) = (Instant::now(), self.connector.limits());
        self.idle.borrow_mut().sweep(now, limits.idle_timeout);
        self.names.borrow_mut().sweep(now);
    }

    /// How many unused connections are open.
    #[must_use]
    pub fn idle_connections(&self) -> usize {
        self.idle.borrow().count()
    }

    async fn look_up(&self, origin: &Origin, deadline: Instant) -> Answer {
        let connector = &self.connector;
        let start = || connector.lookup(origin);
        let waiting = self.names.borrow_mut().lookup(origin, deadline, start);
        let Waiting { lookup, until } = waiting;
        let answer = lookup.answer(connector.guard(), origin, until).await;
        let finished = answer.is_some();
        let answer = connector.settle(origin, answer);
        let mut names = self.names.borrow_mut();
        names.settle(origin, &lookup, answer, finished, connector.limits())
    }

    async fn send_fresh(
        &self,
        origin: &Origin,
        addresses: &[IpAddr],
        request: Request<Full<Bytes>>,
        started: Instant,
    ) -> Attempt {
        let limits = self.connector.limits();
        let deadline = started + limits.timeout;
        // Boxed: rare beside requests on open connections, and much larger.
        let opened = Box::pin(self.connector.open(origin, addresses, deadline)).await;
        let Opened { mut wire, peer } = match opened {
            Ok(opened) => opened,
            Err(failure) => return Attempt::new(started, false, failure.into()),
        };
        let ended = wire.exchange(request, limits, deadline).await;
        self.finish(origin, wire, peer, started, false, ended)
    }

    /// Keeps what can be used again.
    fn finish(
        &self,
        origin: &Origin,
        wire: Box<Wire>,
        peer: Option<IpAddr>,
        started: Instant,
        reused: bool,
        mut ended: Ended,
    ) -> Attempt {
        let mut reusable = false;
        if let Ended::Answered(response) = &mut ended {
            self.keep_map(std::mem::take(&mut response.headers));
            reusable = response.reusable;
        }
        let attempt = Attempt::new(started, reused, ended);
        if reusable {
            let since = attempt.ended();
            let idle = Idle { wire, peer, since };
            let limits = self.connector.limits();
            self.idle.borrow_mut().park(origin, idle, limits);
        }
        attempt
    }

    async fn addresses(&self, origin: &Origin, started: Instant, deadline: Instant) -> Answer {
        if let Some(literal) = &origin.literal {
            return Ok(Arc::clone(literal));
        }
        let known = self.names.borrow().answer(origin, started);
        match known {
            Some(answer) => answer,
            // Boxed: rare, and much larger than the rest.
            None => Box::pin(self.look_up(origin, deadline)).await,
        }
    }

    fn take(&self, origin: &Origin, addresses: &[IpAddr], now: Instant) -> Option<Idle> {
        let limits = self.connector.limits();
        self.idle.borrow_mut().take(origin, addresses, now, limits)
    }

    fn spare_map(&self) -> HeaderMap {
        self.maps.borrow_mut().pop().unwrap_or_default()
    }

    /// A map's memory goes from request to response and back to the next request.
    fn keep_map(&self, mut map: HeaderMap) {
        let mut maps = self.maps.borrow_mut();
        if maps.len() < SPARE_MAPS && map.capacity() <= SPARE_CAPACITY {
            map.clear();
            maps.push(map);
        }
    }
}

/// A POST that is filled and not sent yet. Several are filled first and then sent
/// where their reader is to be woken once for all of them: to wake somebody is a third
/// of what a write costs.
#[derive(Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Outgoing<'a, F> {
    client: &'a Client,
    target: &'a Target,
    fill: F,
    body: Bytes,
    request: Request<Full<Bytes>>,
}

impl<F: Fn(&mut HeaderMap)> Outgoing<'_, F> {
    /// Sends it and reads the answer, all within [`Limits::timeout`] from now.
    ///
    /// Dropping the future closes its connection.
    ///
    /// [`Limits::timeout`]: crate::Limits::timeout
    pub async fn send(self) -> Attempt {
        let Self {
            client,
            target,
            fill,
            body,
            mut request,
        } = self;
        let started = Instant::now();
        let limits = client.connector.limits();
        let deadline = started + limits.timeout;
        let origin = &*target.origin;

        let addresses = match client.addresses(origin, started, deadline).await {
            Ok(addresses) => addresses,
            Err(failure) => return Attempt::new(started, false, failure.into()),
        };
        while let Some(idle) = client.take(origin, &addresses, started) {
            let Idle { mut wire, peer, .. } = idle;
            match wire.exchange(request, limits, deadline).await {
                Ended::Unsent(unsent) => request = unsent,
                Ended::Silent(_) => {
                    request = target.request(client.spare_map(), &fill, body);
                    break;
                }
                ended @ (Ended::Answered(_) | Ended::Failed { .. }) => {
                    return client.finish(origin, wire, peer, started, true, ended);
                }
            }
        }
        client
            .send_fresh(origin, &addresses, request, started)
            .await
    }
}
