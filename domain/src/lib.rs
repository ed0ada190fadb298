//! What every part of FeedBackPro Webhooks agrees on: events, endpoints,
//! signatures, the schedule, verdicts, placement, and the records on topics.
//! No I/O happens here.

mod attempt_record;
mod audit;
mod catalogue;
mod endpoint;
mod envelope;
mod event;
mod failed_filter;
mod field;
mod filter;
mod ids;
mod input;
mod job;
mod outcome;
mod placement;
pub mod record;
pub mod schema;
mod sealing;
mod secret;
mod signature;
mod tier;
mod timestamp;
mod topics;
mod verdict;

pub use attempt_record::{AfterAttempt, AttemptRecord};
pub use audit::{AuditAction, AuditRecord};
pub use catalogue::{CatalogueEntry, CatalogueField, FieldKind, catalogue};
pub use endpoint::{Endpoint, EndpointKey, EndpointState, EndpointStateRecord, ROTATION_OVERLAP};
pub use envelope::{Envelope, EnvelopeHead, MAX_ENVELOPE_BYTES, Submission};
pub use event::{
    EventData, EventKind, NewFeedback, NpsCalculated, RatingSubmitted, Segment, WidgetDismissed,
};
pub use failed_filter::{FailedFilter, MAX_SELECTED, MAX_SELECTED_BYTES, NotAFilter};
pub use field::{Email, Locale, Score, Seconds, Text};
pub use filter::{
    Condition, DataField, Filter, FilterMistake, FilterMistakes, FilteredEvent, MAX_CONDITIONS,
    Operand, Operator,
};
pub use ids::{AccountId, DeliveryId, EndpointId, EventId, JobId, NotAnId, partition_key};
pub use input::InputError;
pub use job::{Job, JobAction, JobState};
pub use outcome::{Cause, Outcome};
pub use placement::{
    DeferReason, EXPIRES_AFTER, Gate, LONGEST_CLOSE_IN_READY, MOVING, Place, UNRESPONSIVE_AFTER,
    Waiting, place,
};
pub use sealing::{KeyRingError, SealingKeys};
pub use secret::{KeyRing, NotASecret, OpenError, SealedSecret, Secret};
pub use signature::{SigningKey, feedbackpro_signature, standard_signature};
pub use tier::{LONGEST_TIER, NotASchedule, NotATier, Schedule, Tier};
pub use timestamp::{NotATimestamp, Timestamp};
pub use topics::{Cleanup, PARTITIONS, READY_PARTITIONS, TopicSpec, Topics};
pub use verdict::{
    CLOSED_WITHOUT_RETRY_AFTER, DeadLetterReason, LONGEST_CLOSE, LimitChange, Next, Verdict, judge,
};
