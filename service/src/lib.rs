//! What every binary shares: settings, command line, logs, the admin port, tokens,
//! traces, problem+json, described routes and the clean stop. Nothing here knows of Kafka
//! clients or events.

use std::pin::Pin;

/// A service that runs. What an `async fn` does is compiled in each crate that awaits it: a
/// whole server again in every binary and every test. Boxed it is compiled once, where it is.
pub type Running<E> = Pin<Box<dyn Future<Output = Result<(), E>> + Send>>;

pub mod admin;
pub mod body;
pub mod cli;
pub mod contract;
pub mod exit;
pub mod health;
pub mod http;
pub mod leaving;
pub mod problem;
pub mod settings;
pub mod shutdown;
pub mod telemetry;
pub mod tokens;
pub mod traces;
mod unread;
