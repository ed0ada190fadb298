//! The Kafka of the quickstart: librdkafka's mock cluster, or a real one.

use std::collections::BTreeMap;

use domain::{Schedule, Topics};
use kafka::{Connection, ConnectionError, TopicPolicy, mock};

/// A cluster for as long as this lives.
pub(crate) struct Cluster {
    /// Where it is.
    pub(crate) brokers: String,
    /// What may be done about topics.
    pub(crate) policy: TopicPolicy,
    /// librdkafka's properties that it needs.
    pub(crate) properties: BTreeMap<String, String>,
    /// In memory, where it is not a real one.
    mock: Option<mock::Cluster>,
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
        let specs = topics.all_specs(schedule);
        let topics = specs
            .iter()
            .map(|spec| (spec.name.as_str(), spec.partitions));
        let mock = mock::cluster(1, topics)?;
        Ok(Self {
            brokers: mock.bootstrap_servers(),
            policy: TopicPolicy::Trust,
            properties: mock::properties(),
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
