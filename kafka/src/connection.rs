//! How clients reach the cluster, and what their settings are.

use std::{collections::BTreeMap, fmt};

use rdkafka::{
    ClientConfig,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
};

/// Where the cluster is and how to talk to it: one a binary.
#[derive(Clone)]
pub struct Connection {
    brokers: String,
    client_id: String,
    properties: BTreeMap<String, String>,
}

/// Why a client cannot be made from the settings. Each is a wrong setting
/// (exit 64), none passes by waiting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    /// The list of brokers is empty.
    #[error("no Kafka broker is named: give host:port, several separated by commas")]
    NoBrokers,
    /// A property that the product sets itself.
    #[error("the Kafka property {key} cannot be set: {why}")]
    Reserved {
        /// The property.
        key: String,
        /// Why it is not the user's, or where to set it instead.
        why: &'static str,
    },
    /// A property that librdkafka does not know, or a value that it does not take.
    #[error(
        "the Kafka property {key} is wrong: {reason} (names and values are those of librdkafka's CONFIGURATION.md)"
    )]
    Property {
        /// The property.
        key: String,
        /// What librdkafka says.
        reason: String,
    },
    /// librdkafka refuses the properties as a whole, for example because a
    /// certificate cannot be read.
    #[error("no Kafka client can be made with these properties: {0}")]
    Client(String),
}

const OWN_SETTING: &str = "it has a setting of its own";
const PROMISE: &str = "the promise to lose nothing depends on the value used here";
const TIMING: &str = "hand-over between dispatchers depends on the value used here";
const EACH_PRODUCER: &str = "each producer has a value that suits its work";
const BOUNDED: &str = "the bound on memory depends on the value used here";

/// Properties a user cannot set, aliases included, each with the reason.
const RESERVED: [(&str, &str); 35] = [
    ("bootstrap.servers", OWN_SETTING),
    ("metadata.broker.list", OWN_SETTING),
    ("client.id", OWN_SETTING),
    ("group.id", OWN_SETTING),
    ("transactional.id", OWN_SETTING),
    ("acks", PROMISE),
    ("request.required.acks", PROMISE),
    ("enable.idempotence", PROMISE),
    ("queuing.strategy", PROMISE),
    ("delivery.report.only.error", PROMISE),
    ("isolation.level", PROMISE),
    ("enable.auto.commit", PROMISE),
    ("auto.commit.enable", PROMISE),
    ("auto.commit.interval.ms", PROMISE),
    ("enable.auto.offset.store", PROMISE),
    ("auto.offset.reset", PROMISE),
    ("enable.partition.eof", PROMISE),
    ("allow.auto.create.topics", PROMISE),
    ("partitioner", PROMISE),
    ("transaction.timeout.ms", TIMING),
    ("message.timeout.ms", TIMING),
    ("delivery.timeout.ms", TIMING),
    ("session.timeout.ms", TIMING),
    ("heartbeat.interval.ms", TIMING),
    ("max.poll.interval.ms", TIMING),
    ("partition.assignment.strategy", TIMING),
    ("group.protocol", TIMING),
    ("group.protocol.type", TIMING),
    ("group.remote.assignor", TIMING),
    ("linger.ms", EACH_PRODUCER),
    ("queue.buffering.max.ms", EACH_PRODUCER),
    ("queue.buffering.max.messages", BOUNDED),
    ("queue.buffering.max.kbytes", BOUNDED),
    ("enabled_events", PROMISE),
    (
        "log.queue",
        "the client's log goes through this program's log",
    ),
];

/// What every client gets unless the user's properties say otherwise.
const CLIENT: [(&str, &str); 2] = [
    // A topic that matches a subscription, or gained partitions, is seen after this time.
    ("topic.metadata.refresh.interval.ms", "10000"),
    // The default of 10 s keeps a client away long after a broker is back.
    ("reconnect.backoff.max.ms", "2000"),
];

const CONSUMER: [(&str, &str); 10] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "earliest"),
    ("isolation.level", "read_committed"),
    ("allow.auto.create.topics", "false"),
    ("partition.assignment.strategy", "cooperative-sticky"),
    ("session.timeout.ms", "6000"),
    ("heartbeat.interval.ms", "1000"),
    // A full queue is looked at again after this time; the default of 1 s would idle.
    ("fetch.queue.backoff.ms", "10"),
    ("queued.max.messages.kbytes", "4096"),
];

const PRODUCER: [(&str, &str); 4] = [
    ("acks", "all"),
    ("enable.idempotence", "true"),
    // The partitioner of Java clients.
    ("partitioner", "murmur2_random"),
    // The topics of deliveries take records of this size.
    ("message.max.bytes", "2097176"),
];

impl Connection {
    /// A connection to `brokers` (host:port, several separated by commas) as
    /// `client_id`. `properties` are librdkafka's, for every client alike;
    /// this is where SASL and TLS are set. A client of the other kind ignores
    /// what is only for producers or only for consumers.
    ///
    /// # Errors
    /// When no broker is named, a property is unknown, its value is not
    /// allowed, or the product must set it itself.
    pub fn new(
        brokers: impl Into<String>,
        client_id: impl Into<String>,
        properties: BTreeMap<String, String>,
    ) -> Result<Self, ConnectionError> {
        let brokers = brokers.into();
        if brokers.split(',').all(|broker| broker.trim().is_empty()) {
            return Err(ConnectionError::NoBrokers);
        }
        for key in properties.keys() {
            if let Some((_, why)) = RESERVED.iter().find(|(reserved, _)| reserved == key) {
                return Err(ConnectionError::Reserved {
                    key: key.clone(),
                    why,
                });
            }
        }
        let connection = Self {
            brokers,
            client_id: client_id.into(),
            properties,
        };
        connection
            .config(&[])
            .create_native_config()
            .map_err(ConnectionError::from)?;
        Ok(connection)
    }

    /// Where the cluster is: host:port, several separated by commas.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// What the clients are called in the broker's log and quotas.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The settings of a consumer in `group`: no automatic commit, records of
    /// finished transactions only, cooperative hand-over. `defaults` come
    /// before the user's properties, which may replace them.
    #[must_use]
    pub fn consumer_config(&self, group: &str, defaults: &[(&str, &str)]) -> ClientConfig {
        let mut config = self.config(&[&CONSUMER, defaults]);
        config.set("group.id", group);
        config
    }

    /// The settings of a producer: all in-sync replicas acknowledge, no
    /// duplicates by its own retries. `defaults` come before the user's
    /// properties, which may replace them.
    #[must_use]
    pub fn producer_config(&self, defaults: &[(&str, &str)]) -> ClientConfig {
        self.config(&[&PRODUCER, defaults])
    }

    /// The settings of a client that only asks and creates.
    pub(crate) fn admin_config(&self) -> ClientConfig {
        self.config(&[])
    }

    fn config(&self, layers: &[&[(&str, &str)]]) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (key, value) in CLIENT.iter().chain(layers.iter().copied().flatten()) {
            config.set(*key, *value);
        }
        if self.uses_tls_without_authority() {
            // OpenSSL is linked in and looks where it was built; this makes
            // librdkafka look where the system keeps its certificates.
            config.set("ssl.ca.location", "probe");
        }
        for (key, value) in &self.properties {
            config.set(key, value);
        }
        config.set("bootstrap.servers", &self.brokers);
        config.set("client.id", &self.client_id);
        // Else the level is taken from the `log` crate, which nobody sets here.
        config.set_log_level(if self.properties.contains_key("debug") {
            RDKafkaLogLevel::Debug
        } else {
            RDKafkaLogLevel::Info
        });
        config
    }

    fn uses_tls_without_authority(&self) -> bool {
        let protocol = self.properties.get("security.protocol");
        protocol.is_some_and(|protocol| protocol.to_ascii_lowercase().contains("ssl"))
            && !self.properties.contains_key("ssl.ca.location")
            && !self.properties.contains_key("ssl.ca.pem")
    }
}

impl fmt::Debug for Connection {
    /// Without the values of the properties: there are passwords among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("brokers", &self.brokers)
            .field("client_id", &self.client_id)
            .field("properties", &self.properties.keys())
            .finish()
    }
}

/// What an error of rdkafka says when a client is made.
impl From<KafkaError> for ConnectionError {
    fn from(error: KafkaError) -> Self {
        // The value is left out, as it may be a secret; so is its copy in the reason.
        let KafkaError::ClientConfig(_, reason, key, value) = error else {
            return Self::Client(error.to_string());
        };
        let reason = if value.is_empty() {
            reason
        } else {
            reason.replace(&value, "(the value given)")
        };
        Self::Property { key, reason }
    }
}

/// Whether waiting and asking again may help.
pub(crate) fn passes_by_waiting(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::WaitingForCoordinator
            | Code::NotController
            | Code::LeaderNotAvailable
            | Code::CoordinatorNotAvailable
            | Code::CoordinatorLoadInProgress
            | Code::NotCoordinator
            | Code::NetworkException
            | Code::ThrottlingQuotaExceeded
    )
}

/// Whether the topic does not have the offset that was to be read.
pub(crate) fn offset_is_gone(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation
    )
}
