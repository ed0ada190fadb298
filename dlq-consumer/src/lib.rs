//! dlq-consumer: the failed list of FeedBackPro Webhooks, and the way back from it.
//!
//! What is live on `webhooks.dead-letter` is kept in a local index and served
//! as `/webhooks/failed`. A re-send moves a delivery to `webhooks.resend`, and
//! a discard takes it off, each in one Kafka transaction with the record of who
//! did it. Bulk jobs (`/webhooks/resends`) do so with everything that matches.
//! One process writes: whoever starts last holds the transactional id.
//!
//! It must never send anything to a customer's endpoint, and never change a
//! payload.

mod api;
mod deliveries;
mod follow;
mod index;
mod jobs;
mod letter;
mod list;
mod metrics;
mod moves;
mod run;
pub mod settings;

pub use ::index::IndexError;
pub use api::operations;
pub use run::{Parts, RunError, run};
pub use settings::Settings;
