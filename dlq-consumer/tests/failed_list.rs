//! The failed list over HTTP: entries, filters, cursor, moves, tokens, and the
//! index behind it.

// Marked as tests for the lints: integration tests are nothing else.
#[cfg(test)]
mod bed;
#[cfg(test)]
mod list {
    mod entries;
    mod index;
    mod moves;
    mod start;
    mod tokens;
}
