//! A Kafka in memory, for the quickstart and for tests: librdkafka's mock cluster.
//! It has neither compaction nor transactions, and keeps nothing.

use std::{
    collections::BTreeMap,
    net::TcpStream,
    sync::mpsc::{self, RecvTimeoutError},
    time::Duration,
};

use rdkafka::{error::KafkaResult, mocking::MockCluster, producer::DefaultProducerContext};

/// A cluster for as long as this lives.
pub type Cluster = MockCluster<'static, DefaultProducerContext>;

/// How often a [`Cluster`] is knocked at while it makes topics.
const KNOCK_EVERY: Duration = Duration::from_millis(5);

/// librdkafka's properties that its clients need: the mock lets an empty fetch wait its
/// whole time, also when records come.
#[must_use]
pub fn properties() -> BTreeMap<String, String> {
    BTreeMap::from([("fetch.wait.max.ms".to_owned(), "10".to_owned())])
}

/// Starts a cluster of so many brokers, with topics of one replica: their names and how
/// many partitions each has.
///
/// The mock may overlook a request that comes while it serves the one before, until its
/// poll ends after a second. Connections end the poll, too, so one is made every few
/// milliseconds until all topics are there.
///
/// # Errors
/// Where no cluster can be started on this machine, or a topic's name or number of
/// partitions is none.
pub fn cluster<'a>(
    brokers: i32,
    topics: impl IntoIterator<Item = (&'a str, i32)>,
) -> KafkaResult<Cluster> {
    let cluster = Cluster::new(brokers)?;
    let addresses = cluster.bootstrap_servers();
    let (made, all_made) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let address = addresses.split(',').next().unwrap_or_default();
            while all_made.recv_timeout(KNOCK_EVERY) == Err(RecvTimeoutError::Timeout) {
                drop(TcpStream::connect(address));
            }
        });
        // Dropped here, also after an error: the thread ends.
        let _made = made;
        for (name, partitions) in topics {
            cluster.create_topic(name, partitions, 1)?;
        }
        KafkaResult::Ok(())
    })?;
    Ok(cluster)
}
