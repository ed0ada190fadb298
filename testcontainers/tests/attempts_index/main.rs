//! The console's index of attempts on a real Apache Kafka.

// Marked as tests for the lints: integration tests are nothing else.
#[cfg(test)]
mod asking;
#[cfg(test)]
mod bed;
#[cfg(test)]
mod following;
#[cfg(test)]
mod speed;
