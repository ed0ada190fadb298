//! Why a record was not published.

use rdkafka::error::RDKafkaErrorCode;

/// Why there is no acknowledgement. Whoever answers for the record asks
/// [`PublishError::may_be_written`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Too much is in flight: try again later. The record was not written.
    #[error("Kafka does not take records as fast as they come")]
    Full,
    /// The record was refused and is not on the topic; the same record will be
    /// refused again until something is changed (its size, permissions, the topic).
    #[error("Kafka refuses the record for topic {topic}: {code}")]
    Refused {
        /// Where it should have gone.
        topic: String,
        /// Why.
        code: RDKafkaErrorCode,
    },
    /// No acknowledgement came in time: the record may be on the topic, or may not.
    #[error("Kafka has not acknowledged the record for topic {topic}, it may be written: {code}")]
    Unknown {
        /// Where it should have gone.
        topic: String,
        /// Why.
        code: RDKafkaErrorCode,
    },
    /// The client has failed for good, a new process is needed; the record may
    /// be on the topic, or may not.
    #[error("the Kafka producer has failed for good and the process must start anew")]
    Failed,
    /// The publisher was dropped first; the record may be on the topic, or may not.
    #[error("the publisher was stopped before the record was acknowledged")]
    Closed,
}

impl PublishError {
    /// Whether the record may be on the topic all the same.
    #[must_use]
    pub fn may_be_written(&self) -> bool {
        match self {
            Self::Full | Self::Refused { .. } => false,
            Self::Unknown { .. } | Self::Failed | Self::Closed => true,
        }
    }
}

/// Records were still in flight when the time for flushing was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{records} records were not acknowledged in time, they may be written")]
pub struct NotFlushed {
    /// How many.
    pub records: i32,
}

/// What a failure of the client means for the record.
pub(super) fn failure(code: RDKafkaErrorCode, topic: &str) -> PublishError {
    let topic = topic.to_owned();
    if code == RDKafkaErrorCode::Fatal {
        PublishError::Failed
    } else if is_refusal(code) {
        PublishError::Refused { topic, code }
    } else {
        PublishError::Unknown { topic, code }
    }
}

/// Whether a record that failed with `code` is certainly not on the topic.
///
/// These are said before anything is sent, or by a broker that checks before
/// it writes and would say so at each of the client's own retries. Everything
/// else, time-outs above all, may have been written.
pub(crate) fn is_refusal(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::MessageSizeTooLarge
            | Code::MessageBatchTooLarge
            | Code::InvalidMessage
            | Code::InvalidRecord
            | Code::InvalidTopic
            | Code::InvalidArgument
            | Code::UnknownTopic
            | Code::UnknownPartition
            | Code::TopicAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::PolicyViolation
    )
}
