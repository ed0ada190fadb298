//! What a person at a terminal sees while it runs.

use std::io::Write as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const FILE: &str = "{bar:30} {bytes}/{total_bytes}, {msg}, {eta} left";
const STREAM: &str = "{spinner} {bytes}, {msg}, {elapsed}";

/// A bar for a file, a spinner for what has no known length. Both are drawn on
/// stderr, and only where that is a terminal.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new(bytes: Option<u64>) -> Self {
        let (bar, template) = match bytes {
            Some(bytes) => (ProgressBar::new(bytes), FILE),
            None => (ProgressBar::new_spinner(), STREAM),
        };
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.expect("the templates are well-formed"));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    pub(super) fn set(&self, bytes: u64, published: u64) {
        self.0.set_position(bytes);
        if published.is_multiple_of(256) {
            self.0.set_message(format!("{published} published"));
        }
    }

    /// A line on stderr, above the bar.
    pub(super) fn say(&self, line: &str) {
        self.0.suspend(|| {
            // Nowhere is left to say that stderr is closed.
            drop(writeln!(std::io::stderr().lock(), "{line}"));
        });
    }

    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
