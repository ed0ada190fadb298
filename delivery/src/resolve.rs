//! Names to addresses.

use std::fmt;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::pin::Pin;

use tokio::task::spawn_blocking;

/// The addresses of a name, to come.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Resolves names; the seam at which tests supply answers.
///
/// A lookup under way may not be polled for a while, and must not hold what others
/// need then.
pub trait Resolve: fmt::Debug + Send + Sync {
    /// All addresses of a name. The caller bounds the time, and checks each address.
    fn resolve(&self, name: &str) -> Resolving;
}

/// The system's resolver (`getaddrinfo`), so hosts files and search domains count.
///
/// Each lookup holds a thread of the runtime's blocking pool
/// (`Builder::max_blocking_threads`), at worst until the system gives up on a name
/// server that does not answer; a [`Client`](crate::Client) has one a name at most.
/// It cannot be cancelled: end a runtime by `Runtime::shutdown_background`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str) -> Resolving {
        let name = name.to_owned();
        let lookup = spawn_blocking(move || {
            let found = (name.as_str(), 0).to_socket_addrs()?;
            Ok(found.map(|address| address.ip()).collect())
        });
        Box::pin(async { lookup.await? })
    }
}
