//! What the other packages see of the domain, through its public door.

#![cfg(test)]

mod catalogue;
mod endpoints;
mod envelope;
mod events;
mod filters;
mod generated;
mod ids;
mod inputs;
mod jobs;
mod placement;
mod records;
mod samples;
mod schedule;
mod schemas;
mod secrets;
mod signatures;
mod timestamps;
mod topics;
mod verdict;
