//! Chores of this repository that need its code: the generated contracts.

mod components;
pub mod contracts;
mod openapi;
mod server;
