//! What every binary shares: settings, command line, logs, the admin port, tokens,
//! traces, problem+json, described routes and the clean stop. Nothing here knows of Kafka
//! clients or events.

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
