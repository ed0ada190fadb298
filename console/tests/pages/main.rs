//! The pages as browsers see them: HTML over HTTP, with librdkafka's mock cluster
//! behind them. What needs a real browser stands in `testcontainers/browser`.
#![cfg(test)]

#[path = "../api/fixture.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod fixture;
#[path = "../api/receiver.rs"]
mod receiver;
#[path = "../api/written.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod written;

mod access;
mod api_types;
mod deliveries;
mod endpoint_forms;
mod failed;
mod failed_service;
mod forged_forms;
mod headers;
mod hostile_text;
mod languages;
mod overview;
mod portal;
mod searches;
mod sessions;
mod snippets;
mod test_events;
mod visitor;
mod weight;
