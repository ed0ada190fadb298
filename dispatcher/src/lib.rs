//! The dispatcher: consumes events and deliveries, sends them signed to the
//! customers' endpoints, and hands on what fails.
//!
//! The files read as one event's way: a partition is assigned (`member`,
//! `rebalance`), read (`lanes`, `incoming`), its offsets are followed
//! (`offsets`); an event becomes deliveries (`fan_out`) by the table
//! (`endpoints`), each is placed (`place`, `gate`), sent (`attempt`) and, where
//! it fails, handed on (`hand_on`). `engine` holds it together, on one thread.

mod attempt;
mod attempt_log;
mod endpoints;
mod engine;
mod families;
mod fan_out;
mod gate;
mod group;
mod hand_on;
mod incoming;
mod lane;
mod lanes;
mod member;
mod metrics;
pub mod offsets;
mod place;
mod pulse;
mod rebalance;
mod repeated;
mod run;
mod saturation;
mod second_look;
pub mod settings;
mod traces;
mod work;

pub use engine::EngineError;
pub use member::JoinError;
pub use run::{Parts, RunError, run};
pub use settings::{DEFAULTS, Settings};
