//! The running system on a real Apache Kafka, in one process so that all tests
//! share a broker. What puts the machine under load stands in `faults.rs`.

mod contracts;
mod deliveries;
mod endpoints;
mod failed_list;
mod jobs;
mod kafka;
mod kafka_crate;
mod late_table;
mod pages;
mod partitions;
mod pipeline;
mod place;
mod quickstart;
mod receiver;
mod retries;
mod secured;
mod settings;
mod shop;
mod traces;
