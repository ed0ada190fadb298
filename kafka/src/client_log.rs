//! librdkafka's own log lines, as events of `tracing`.

use std::sync::{Mutex, PoisonError};

use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{DeliveryResult, ProducerContext},
};

use crate::patience::OnceInAWhile;

/// The log of one client. A context of a client has one and passes on what
/// its `ClientContext::log` and `ClientContext::error` are given.
#[derive(Debug, Default)]
pub struct ClientLog(Mutex<OnceInAWhile>);

impl ClientLog {
    /// Logs a line of librdkafka, the same one at most twice a minute.
    ///
    /// Its errors are warnings here: the client itself goes on and connects again.
    pub fn line(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        // One set of properties serves producers and consumers.
        let for_the_other_kind = facility == "CONFWARN" && line.contains("will be ignored by this");
        match level {
            _ if for_the_other_kind => tracing::debug!(target: "librdkafka", facility, "{line}"),
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(target: "librdkafka", facility, "{line}");
            }
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => {
                if self.may_say(line) {
                    tracing::warn!(target: "librdkafka", facility, "{line}");
                }
            }
            RDKafkaLogLevel::Notice => tracing::info!(target: "librdkafka", facility, "{line}"),
            RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(target: "librdkafka", facility, "{line}");
            }
        }
    }

    /// Logs an error that librdkafka reports for a whole client. Most were a
    /// line already, so only what no line says is louder than debug.
    pub fn error(&self, error: &KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::PartitionEOF) => {}
            Some(RDKafkaErrorCode::AllBrokersDown) if self.may_say("all brokers down") => {
                tracing::warn!(target: "librdkafka", reason, "no Kafka broker can be reached");
            }
            _ => tracing::debug!(target: "librdkafka", reason, "{error}"),
        }
    }

    fn may_say(&self, line: &str) -> bool {
        // How long the state lasted makes every line another one.
        let same = line.split_once(" (after ").map_or(line, |(same, _)| same);
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.may_say(same)
    }
}

/// A client context that only logs, for clients without callbacks of their own.
#[derive(Debug, Default)]
pub struct Logged(ClientLog);

impl ClientContext for Logged {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.0.line(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(&error, reason);
    }
}

impl ConsumerContext for Logged {}

impl ProducerContext for Logged {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}
