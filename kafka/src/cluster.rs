//! What the cluster says of a topic before an index of it is opened.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::{Connection, ConnectionError, Logged};

/// A table has no other.
const PARTITION: i32 = 0;
/// How long one question may take.
const ASK: Duration = Duration::from_secs(2);
/// The cluster has just answered [`crate::ensure_topics`]: what it does not
/// say within these questions it does not know.
const TIMES: usize = 5;

/// A topic, as the cluster tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The cluster's id; empty where it has none.
    pub cluster: String,
    /// The offset after the last record of partition 0.
    pub end: Option<i64>,
}

/// Asks the cluster about a topic that is there. `None` when shutdown came
/// first.
///
/// # Errors
/// When the connection's properties cannot be used.
pub async fn ask(
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
    let (topic, stop) = (topic.to_owned(), shutdown.child_token());
    // Whoever stops waiting does not leave the questions behind.
    let _guard = stop.clone().drop_guard();
    let told = spawn_blocking(move || {
        let mut asked = (0..TIMES).take_while(|_| !stop.is_cancelled());
        // The answer brings the cluster's id, which is else waited for.
        let answered = asked.any(|_| client.fetch_metadata(Some(&topic), ASK).is_ok());
        let cluster = answered.then(|| client.client().fetch_cluster_id(ASK));
        let mut asked = (0..TIMES).take_while(|_| !stop.is_cancelled());
        let end = asked.find_map(|_| client.fetch_watermarks(&topic, PARTITION, ASK).ok());
        Told {
            cluster: cluster.flatten().unwrap_or_default(),
            end: end.map(|(_, end)| end),
        }
    });
    Ok(shutdown
        .run_until_cancelled(told)
        .await
        .and_then(Result::ok)
        .filter(|_| !shutdown.is_cancelled()))
}
