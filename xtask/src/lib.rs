//! Chores of this repository that need its code: the generated contracts.

mod asyncapi;
mod components;
pub mod contracts;
mod json;
mod openapi;
mod postman;
mod server;
