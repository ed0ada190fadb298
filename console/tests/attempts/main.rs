//! The index of attempts: what is asked of it against a model that keeps all
//! records and looks through them, and what it keeps. The topic behind it is
//! tested on a real Kafka (package `e2e`).

// Marked as tests for the lints: integration tests are nothing else.
#[cfg(test)]
mod bed;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod model;
#[cfg(test)]
mod questions;
#[cfg(test)]
mod resent;
