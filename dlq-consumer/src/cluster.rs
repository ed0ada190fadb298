//! What the cluster says of the dead-letter topic before it is read.

use std::time::Duration;

use kafka::{Connection, ConnectionError, Logged};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

/// The topic has one partition.
const PARTITION: i32 = 0;
/// How long one question may take.
const ASK: Duration = Duration::from_secs(2);
/// The cluster has just answered [`kafka::ensure_topics`]: what it does not
/// say within these questions it does not know.
const TIMES: usize = 5;

/// The dead-letter topic, as the cluster tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// The cluster's id; empty where it has none.
    pub(crate) cluster: String,
    /// The offset after the topic's last record.
    pub(crate) end: Option<i64>,
}

/// Asks the cluster. `None` when shutdown came first.
pub(crate) async fn ask(
    connection: &Connection,
    topic: &str,
    shutdown: &CancellationToken,
) -> Result<Option<Told>, ConnectionError> {
    // Nothing joins this group: the client only asks.
    let group = format!("{}.ask", connection.client_id());
    let config = connection.consumer_config(&group, &[]);
    let client: BaseConsumer<Logged> = config
        .create_with_context(Logged::default())
        .map_err(ConnectionError::from)?;
    let (topic, stop) = (topic.to_owned(), shutdown.clone());
    let told = spawn_blocking(move || {
        let mut attempts = (0..TIMES).take_while(|_| !stop.is_cancelled());
        let cluster = attempts.find_map(|_| client.client().fetch_cluster_id(ASK));
        let mut attempts = (0..TIMES).take_while(|_| !stop.is_cancelled());
        let end = attempts.find_map(|_| client.fetch_watermarks(&topic, PARTITION, ASK).ok());
        Told {
            cluster: cluster.unwrap_or_default(),
            end: end.map(|(_, end)| end),
        }
    });
    Ok(shutdown
        .run_until_cancelled(told)
        .await
        .and_then(Result::ok)
        .filter(|_| !shutdown.is_cancelled()))
}
