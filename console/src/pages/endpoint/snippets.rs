//! How a receiver verifies a delivery: programs that the tests run, shown as they
//! are.

/// One program.
#[derive(Debug)]
pub(super) struct Snippet {
    /// The name of the language.
    pub(super) language: &'static str,
    pub(super) file: &'static str,
    pub(super) code: &'static str,
}

pub(super) static SNIPPETS: [Snippet; 3] = [
    Snippet {
        language: "Node.js",
        file: "verify.mjs",
        code: include_str!("../../../snippets/verify.mjs"),
    },
    Snippet {
        language: "Python",
        file: "verify.py",
        code: include_str!("../../../snippets/verify.py"),
    },
    Snippet {
        language: "PHP",
        file: "verify.php",
        code: include_str!("../../../snippets/verify.php"),
    },
];
