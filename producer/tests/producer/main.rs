//! The producer through its own doors: HTTP over TCP, the built binary, and
//! the records on the topic. Kafka is librdkafka's mock cluster; what only a
//! real broker shows is tested in `testcontainers/`.

#[cfg(test)]
mod accepting;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod import;
#[cfg(test)]
mod ndjson;
#[cfg(test)]
mod operating;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod refusing;
