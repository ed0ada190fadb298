//! Indexes over topics: what is on a topic, in a SQLite file that may be
//! deleted at any time. The topic is the truth.
//!
//! Rows and the offsets to be read next are written in one transaction
//! ([`Store::write`]), so the file is always the topic as it was at some
//! offsets, also after a crash. A file that is missing, broken, of other
//! tables, of another topic or too old is made anew ([`Store::open`]). One
//! thread writes; any number of [`Reader`]s ask beside it.

mod error;
mod file;
mod origin;
mod reader;
mod store;

pub use error::IndexError;
pub use file::{Lock, remove};
pub use origin::{Identity, Schema, WhyNew};
pub use reader::Reader;
pub use store::{Positions, Store};
