//! The Kafka of the quickstart: librdkafka's mock cluster, or a real one.

use std::{
    collections::BTreeMap,
    net::TcpStream,
    sync::mpsc::{self, RecvTimeoutError},
    time::Duration,
};

use domain::{Schedule, TopicSpec, Topics};
use kafka::{Connection, ConnectionError, TopicPolicy};
use rdkafka::{error::KafkaResult, mocking::MockCluster, producer::DefaultProducerContext};

/// A cluster for as long as this lives.
pub(crate) struct Cluster {
    /// Where it is.
    pub(crate) brokers: String,
    /// What may be done about topics.
    pub(crate) policy: TopicPolicy,
    /// librdkafka's properties that it needs.
    pub(crate) properties: BTreeMap<String, String>,
    /// In memory, where it is not a real one.
    mock: Option<MockCluster<'static, DefaultProducerContext>>,
}

impl Cluster {
    /// Starts a cluster in memory with all topics, or takes the real one at
    /// `brokers`.
    pub(crate) fn start(
        brokers: Option<&str>,
        topics: &Topics,
        schedule: &Schedule,
    ) -> anyhow::Result<Self> {
        if let Some(brokers) = brokers {
            return Ok(Self {
                brokers: brokers.to_owned(),
                policy: TopicPolicy::Create { replication: -1 },
                properties: BTreeMap::new(),
                mock: None,
            });
        }
        let mock = MockCluster::new(1)?;
        make_topics(&mock, &topics.all_specs(schedule))?;
        // The mock lets an empty fetch wait its whole time, also when records
        // come.
        let properties = [("fetch.wait.max.ms".to_owned(), "10".to_owned())];
        Ok(Self {
            brokers: mock.bootstrap_servers(),
            policy: TopicPolicy::Trust,
            properties: properties.into(),
            mock: Some(mock),
        })
    }

    /// Whether everything is gone with the process.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.mock.is_some()
    }

    /// A connection for the quickstart's own records.
    pub(crate) fn connection(&self) -> Result<Connection, ConnectionError> {
        Connection::new(self.brokers.as_str(), "quickstart", self.properties.clone())
    }
}

/// librdkafka's mock may overlook a request that comes while it serves the one
/// before, until its poll ends after a second. Connections end the poll, too,
/// so one is made every few milliseconds until all topics are there.
fn make_topics(
    mock: &MockCluster<'static, DefaultProducerContext>,
    specs: &[TopicSpec],
) -> KafkaResult<()> {
    const EVERY: Duration = Duration::from_millis(5);
    let address = mock.bootstrap_servers();
    let (made, all_made) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while all_made.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                drop(TcpStream::connect(&address));
            }
        });
        // Dropped here, also after an error: the thread ends.
        let _made = made;
        for spec in specs {
            mock.create_topic(&spec.name, spec.partitions, 1)?;
        }
        Ok(())
    })
}
