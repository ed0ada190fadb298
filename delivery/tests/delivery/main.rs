//! What a caller sees of an attempt, against receivers on real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod addresses;
mod lookups;
mod proxies;
mod receiver;
mod requests;
mod responses;
mod reuse;
mod senders;
mod tls;
mod urls;
