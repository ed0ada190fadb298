//! The one way to a customer's endpoint: one POST, what it ended with, and the
//! guard that decides which addresses may be reached at all.
//!
//! - [`Guard`] judges URLs as written ([`Guard::check_url`] gives a [`Target`])
//!   and addresses as resolved. Only addresses it has checked are connected to.
//! - [`Connector`] opens a checked connection: name, TCP, an egress proxy, TLS.
//!   It is `Send + Sync`; [`Connector::send_once`] sends one request on a
//!   connection of its own, from any thread (test events).
//! - [`Client`] adds what a stream of deliveries needs: kept-alive connections and
//!   remembered names. It belongs to one thread and takes no lock.
//!
//! Both send by the same code: HTTP/1.1 by hyper, TLS by rustls. Redirects are not
//! followed, bodies are not decompressed, the environment's proxies are not used,
//! and every attempt ends within [`Limits::timeout`].

mod attempt;
mod client;
mod connector;
mod example;
mod exchange;
mod guard;
mod idle;
mod limits;
mod lookup;
mod names;
mod proxy;
mod request;
mod resolve;
mod retry_after;
mod settings;
mod stream;
mod target;
mod tls;

pub use attempt::{Attempt, CertificateFault};
pub use client::{Client, Outgoing};
pub use connector::{Connector, Egress, SetupError};
pub use example::{EXAMPLE_SECRET, EXAMPLE_URL, example};
pub use guard::{AddressPolicy, Guard, GuardSettings, HeaderFault, Refused};
pub use limits::Limits;
pub use request::{PreparedRequest, ToSign};
pub use resolve::{Resolve, Resolving, SystemResolver};
pub use settings::EgressSettings;
pub use target::Target;
