//! Which offsets of a partition are complete, and how that is committed.

mod metadata;
mod tracker;

pub use metadata::{MAX_METADATA_BYTES, decode, encode};
pub use tracker::{Begun, Commit, Tracker};
