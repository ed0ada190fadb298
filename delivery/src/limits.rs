//! How much one attempt may take.

use std::time::Duration;

/// Bounds of one attempt and of what is kept between attempts.
///
/// A response also has at most 100 headers (hyper's parser keeps them on its stack).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// For everything together: name, TCP, TLS, request, headers and body.
    pub timeout: Duration,
    /// Bytes of a response's status line and headers. At least 8192.
    pub response_head: usize,
    /// Bytes of a response's body that are read. A longer one is cut off with its
    /// connection, and the status counts.
    pub response_body: usize,
    /// Bytes of a response's body that are kept for the attempt record.
    pub response_start: usize,
    /// How long an unused connection may be used again.
    pub idle_timeout: Duration,
    /// Unused connections over all endpoints. When there are more, the quarter that
    /// was unused the longest is closed.
    pub idle_connections: usize,
    /// How long a name's checked addresses are used without asking again.
    pub dns_ttl: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            response_head: 16 * 1024,
            response_body: 64 * 1024,
            response_start: 512,
            idle_timeout: Duration::from_secs(30),
            idle_connections: 4096,
            dns_ttl: Duration::from_secs(10),
        }
    }
}
