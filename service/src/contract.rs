//! What an API promises: each route with its description, from which the documents
//! under `api/` are generated. [`Routes`] takes no route without one.

mod answer;
mod content;
mod operation;
mod parameter;
mod routes;

pub use answer::{Answer, Kept};
pub use content::{Content, Shape};
pub use operation::{Operation, Security};
pub use parameter::{Parameter, Place};
pub use routes::{Describe, Routes};
