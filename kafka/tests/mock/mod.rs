//! librdkafka's mock cluster, for what it does like a real broker.

use std::{collections::BTreeMap, time::Duration};

use kafka::Connection;
use rdkafka::{mocking::MockCluster, producer::DefaultProducerContext};

/// Facts come long before; only a broken test waits this long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// One broker with `topics` (name, partitions), and a connection to it.
pub(crate) fn cluster(
    topics: &[(&str, i32)],
) -> (MockCluster<'static, DefaultProducerContext>, Connection) {
    let cluster = MockCluster::new(1).unwrap();
    for (topic, partitions) in topics {
        cluster.create_topic(topic, *partitions, 1).unwrap();
    }
    let connection = connection(&cluster.bootstrap_servers());
    (cluster, connection)
}

pub(crate) fn connection(brokers: &str) -> Connection {
    // The mock cluster lets an empty fetch wait all of this time.
    let properties = BTreeMap::from([("fetch.wait.max.ms".to_owned(), "10".to_owned())]);
    Connection::new(brokers, "test", properties).unwrap()
}
