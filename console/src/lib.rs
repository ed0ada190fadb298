//! The console: endpoints, their secrets, test events and the audit, by REST and
//! as pages.
//!
//! A request goes from `api` (tokens, JSON, problems) or `pages` (sessions, forms,
//! HTML) to `endpoints::Registry`, which is the only writer of endpoint records
//! and tells `audit::Audit` of each change, or to `test_event::Tester`.
//! What became of deliveries is in `attempts`, an index of its topic; what they
//! carry is read where it stands (`delivery_log`). The failed list is dlq-consumer's,
//! which pages ask by HTTP (`failed_list`). `portal` shows what the APIs promise.

mod actor;
mod api;
pub mod attempts;
mod audit;
mod change_stream;
mod delivery_log;
mod endpoints;
mod failed_list;
mod metrics;
mod pages;
mod portal;
mod quota;
mod requests;
mod run;
pub mod settings;
mod shared;
mod test_event;
mod web;

pub use api::operations;
pub use metrics::Metrics;
pub use pages::{RouteInfo, page_routes};
pub use run::{Parts, RunError, run};
pub use web::Access;
