//! The failed list over HTTP: entries, filters, cursor, export, moves, bulk
//! jobs, any delivery again, tokens, and the index behind it.

// Marked as tests for the lints: integration tests are nothing else.
#[cfg(test)]
mod bed;
#[cfg(test)]
mod list {
    mod deliveries;
    mod entries;
    mod export;
    mod index;
    mod jobs;
    mod moves;
    mod start;
    mod tokens;
}
