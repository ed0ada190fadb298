//! What the consumer group and the engine say to each other.

use std::sync::{Arc, mpsc};

use rdkafka::{
    Offset, TopicPartitionList, consumer::base_consumer::PartitionQueue, error::KafkaResult,
};
use tokio::sync::Notify;

use crate::{offsets::Commit, rebalance::Context};

/// A partition that was assigned.
pub(crate) struct Assigned {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) committed: Option<(i64, String)>,
    /// Where it ended just before; only of `feedback.events`.
    pub(crate) end: Option<i64>,
    pub(crate) queue: PartitionQueue<Context>,
    /// Told whenever the queue becomes non-empty.
    pub(crate) nonempty: Arc<Notify>,
}

/// What to commit for a partition.
#[derive(Debug)]
pub(crate) struct ToCommit {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) commit: Commit,
}

/// What a group tells the engine.
pub(crate) enum GroupEvent {
    /// Partitions have come; none when there are more dispatchers than
    /// partitions.
    Assigned(Vec<Assigned>),
    /// Partitions go. The callback waits for the answer.
    Revoked {
        partitions: Vec<(String, i32)>,
        /// They are gone already: another member may work on them.
        lost: bool,
        answer: mpsc::Sender<Vec<ToCommit>>,
    },
    /// The group's thread has ended, and the consumer has left the group.
    Left,
    /// The process cannot go on.
    Fatal(String),
}

/// Commits as librdkafka wants them.
pub(crate) fn commit_list(commits: &[ToCommit]) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(commits.len());
    for item in commits {
        let mut partition = list.add_partition(&item.topic, item.partition);
        partition.set_offset(Offset::Offset(item.commit.offset))?;
        partition.set_metadata(&item.commit.metadata);
    }
    Ok(list)
}
