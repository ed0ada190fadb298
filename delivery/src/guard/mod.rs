//! What may be reached: URLs as written, names, and addresses as resolved.

mod address;
mod refused;
mod written;

use std::net::IpAddr;

use http::uri::Scheme;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use address::AddressPolicy;
pub use refused::{HeaderFault, Refused};

use crate::target::Target;

/// The settings below `guard.`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardSettings {
    /// Ports that `https` URLs may name.
    pub allow_ports: Vec<u16>,
    /// Public nets that are refused nevertheless: one's own ingress and nodes.
    #[serde(with = "crate::settings::cidrs")]
    pub deny_cidrs: Vec<IpNet>,
    /// Also takes `http` with the literal text `127.0.0.1` and any port. For the
    /// quickstart and tests on one machine, never where customers write URLs.
    pub allow_plain_http_to_loopback: bool,
}

impl Default for GuardSettings {
    fn default() -> Self {
        Self {
            allow_ports: vec![443, 8443],
            deny_cidrs: Vec::new(),
            allow_plain_http_to_loopback: false,
        }
    }
}

/// Decides which URLs and addresses may be reached.
#[derive(Debug, Clone)]
pub struct Guard {
    ports: Vec<u16>,
    addresses: AddressPolicy,
    plain_loopback: bool,
}

impl Guard {
    /// Public addresses only, on the ports of the settings.
    #[must_use]
    pub fn new(settings: GuardSettings) -> Self {
        let addresses = AddressPolicy::public_only().deny(settings.deny_cidrs);
        Self {
            ports: settings.allow_ports,
            addresses,
            plain_loopback: settings.allow_plain_http_to_loopback,
        }
    }

    /// With another policy for addresses (tests: [`AddressPolicy::except`]).
    #[must_use]
    pub fn with_addresses(mut self, addresses: AddressPolicy) -> Self {
        self.addresses = addresses;
        self
    }

    /// Ports that `https` URLs may name.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Whether `http://127.0.0.1` is taken, too, on any port.
    #[must_use]
    pub const fn takes_plain_loopback(&self) -> bool {
        self.plain_loopback
    }

    /// Judges a URL as written, without resolving its name. For the creation of an
    /// endpoint, and for each endpoint record that is read: the settings may have
    /// become stricter since.
    ///
    /// # Errors
    /// What was found and what is allowed, see [`Refused`].
    pub fn check_url(&self, url: &str) -> Result<Target, Refused> {
        written::check(self, url)
    }

    /// Judges one address: public and not denied.
    ///
    /// # Errors
    /// [`Refused::NotPublic`] or [`Refused::Denied`].
    pub fn check_address(&self, ip: IpAddr) -> Result<(), Refused> {
        self.addresses.check(ip)
    }

    /// Judges the address that a connection is about to be opened to.
    pub(crate) fn check_connect(&self, scheme: &Scheme, ip: IpAddr) -> Result<(), Refused> {
        if *scheme == Scheme::HTTP && self.plain_loopback && ip == written::LOOPBACK {
            return Ok(());
        }
        self.check_address(ip)
    }
}
