//! The console: endpoints, their secrets, and test events, for now by REST.
//!
//! A request goes from `api` (tokens, JSON, problems) to `endpoints::Registry`,
//! which is the only writer of endpoint records and tells `audit::Audit` of each
//! change, or to `test_event::Tester`.
//! What became of deliveries is in `attempts`, an index of its topic; what they
//! carry is read where it stands (`delivery_log`). `portal` shows what the APIs promise.

mod actor;
mod api;
pub mod attempts;
mod audit;
mod delivery_log;
mod endpoints;
mod metrics;
mod portal;
mod quota;
mod run;
pub mod settings;
mod test_event;

pub use api::operations;
pub use metrics::Metrics;
pub use run::{Parts, RunError, run};
