//! The running system on a real Apache Kafka, in one process so that all tests
//! share a broker. What puts the machine under load stands in `faults.rs`.

mod endpoints;
mod failed_list;
mod kafka;
mod kafka_crate;
mod pipeline;
mod quickstart;
mod receiver;
mod retries;
mod settings;
