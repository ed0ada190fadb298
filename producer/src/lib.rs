//! Takes events in over HTTP and publishes them to `feedback.events`: accepted
//! (202) means that all in-sync replicas have the event.
//!
//! An event's way: `api` lets the request in by its head and reads its body,
//! `intake` sees that a key is published once, `publisher` makes the record and
//! waits for the acknowledgement. [`import`] does the same from a file.
//!
//! Rust services publish with [`Publisher`] and need none of the HTTP.

mod api;
mod idempotency;
pub mod import;
mod intake;
mod metrics;
mod publisher;
mod rate;
mod reach;
mod run;
pub mod settings;
mod traces;

pub use api::operations;
pub use domain::{AccountId, EventId, InputError, Submission, Topics};
pub use kafka::{Connection, ConnectionError, PublisherOptions};
pub use publisher::{NewEvent, Publication, PublishError, Publisher};
pub use run::{Parts, RunError, run};
pub use settings::Settings;
