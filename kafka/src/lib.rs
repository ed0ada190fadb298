//! The way to Kafka for every part of FeedBackPro Webhooks: client settings,
//! topics made and checked, publishing, compacted tables, logs, single records,
//! transactional moves.
//!
//! What the promise rests on (acks, idempotence, isolation, commits) is set
//! here once and cannot be replaced by a user's property. The dispatcher makes
//! its own consumers from [`Connection::consumer_config`]; everything else
//! about Kafka is behind [`ensure_topics`], [`Publisher`], [`Feed`], [`Table`],
//! [`Log`], [`Follower`], [`Lookup`] and [`Mover`]. Where there is no Kafka, [`mock`]
//! stands in for one.

mod client_log;
mod cluster;
mod connection;
mod feed;
mod follower;
mod log;
mod lookup;
pub mod mock;
mod mover;
mod patience;
mod polling;
mod publisher;
mod record;
mod settings;
mod table;
mod topics;

pub use client_log::{ClientLog, Logged};
pub use cluster::{Told, ask};
pub use connection::{Connection, ConnectionError};
pub use feed::Feed;
pub use follower::{Follower, FollowerEnded};
pub use log::{Log, LogEnded, LogEvent, LogProgress, LogRecord};
pub use lookup::{FoundRecord, Lookup, LookupError};
pub use mover::{MoveError, Mover};
pub use publisher::{Compression, Delivery, NotFlushed, PublishError, Publisher, PublisherOptions};
pub use record::{Record, Stored};
pub use settings::topic_names;
pub use table::{Start, StillRunning, Table, TableEnd, TableEnded, TableEvent, TableRecord};
pub use topics::{Difference, TopicError, TopicPolicy, ensure_topics};
