//! The console as its clients see it: HTTP over TCP, with librdkafka's mock
//! cluster behind it.
#![cfg(test)]

mod access;
mod audit;
mod bad_input;
mod deliveries;
mod drafts;
mod filters;
mod fixture;
mod kafka_away;
mod life;
mod list;
mod receiver;
mod replicas;
mod secrets;
mod settings;
mod statistics;
mod test_events;
mod written;
