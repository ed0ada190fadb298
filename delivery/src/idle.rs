//! Connections that wait for their next request.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::exchange::Wire;
use crate::limits::Limits;
use crate::target::Origin;

/// An unused connection.
#[derive(Debug)]
pub(crate) struct Idle {
    pub(crate) wire: Box<Wire>,
    /// The address at its other end; `None` through a proxy.
    pub(crate) peer: Option<IpAddr>,
    pub(crate) since: Instant,
}

/// Unused connections, by origin. Of each, the last one was used last and is used
/// next: the rest grow old and go.
#[derive(Debug, Default)]
pub(crate) struct IdleConnections {
    origins: HashMap<Arc<str>, Vec<Idle>>,
    count: usize,
}

impl IdleConnections {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The connection used last, if its address is among the checked ones.
    pub(crate) fn take(
        &mut self,
        origin: &Origin,
        checked: &[IpAddr],
        now: Instant,
        limits: &Limits,
    ) -> Option<Idle> {
        let connections = self.origins.get_mut(&origin.text)?;
        loop {
            let idle = connections.pop()?;
            self.count -= 1;
            let fresh = now.saturating_duration_since(idle.since) < limits.idle_timeout;
            if fresh && idle.peer.is_none_or(|peer| checked.contains(&peer)) {
                return Some(idle);
            }
        }
    }

    /// Keeps a connection for the next request.
    pub(crate) fn park(&mut self, origin: &Origin, idle: Idle, limits: &Limits) {
        if self.count >= limits.idle_connections {
            self.make_room(idle.since, limits);
        }
        match self.origins.get_mut(&origin.text) {
            Some(connections) => connections.push(idle),
            None => {
                let text = Arc::clone(&origin.text);
                self.origins.insert(text, vec![idle]);
            }
        }
        self.count += 1;
    }

    /// Closes what is out of date, or else the quarter that was unused the longest.
    fn make_room(&mut self, now: Instant, limits: &Limits) {
        self.sweep(now, limits.idle_timeout);
        if self.count < limits.idle_connections {
            return;
        }
        let connections = self.origins.values().flatten();
        let mut since: Vec<Instant> = connections.map(|idle| idle.since).collect();
        let quarter = since.len() / 4;
        if quarter < since.len() {
            let (_, newest, _) = since.select_nth_unstable(quarter);
            self.sweep(now, now.saturating_duration_since(*newest));
        }
    }

    /// Closes connections that have been unused for so long.
    pub(crate) fn sweep(&mut self, now: Instant, unused_for: Duration) {
        let mut count = 0;
        self.origins.retain(|_, connections| {
            connections.retain(|idle| now.saturating_duration_since(idle.since) < unused_for);
            count += connections.len();
            !connections.is_empty()
        });
        self.count = count;
    }
}
