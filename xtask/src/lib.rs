//! Chores of this repository that need its code: the generated contracts.

pub mod contracts;
