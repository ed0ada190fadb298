//! librdkafka's mock cluster, for what it does like a real broker.

use std::time::Duration;

use kafka::{Connection, mock};

/// Facts come long before; only a broken test waits this long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// One broker with `topics` (name, partitions), and a connection to it.
pub(crate) fn cluster(topics: &[(&str, i32)]) -> (mock::Cluster, Connection) {
    let cluster = mock::cluster(1, topics.iter().copied()).unwrap();
    let connection = connection(&cluster.bootstrap_servers());
    (cluster, connection)
}

pub(crate) fn connection(brokers: &str) -> Connection {
    Connection::new(brokers, "test", mock::properties()).unwrap()
}
