//! Which version of an endpoint a change is meant for.

/// Which version of an endpoint a change is meant for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Precondition {
    /// Whichever it has.
    #[default]
    None,
    /// One of these.
    Version(Vec<u64>),
}

impl Precondition {
    pub(super) fn holds(&self, version: u64) -> bool {
        match self {
            Self::None => true,
            Self::Version(allowed) => allowed.contains(&version),
        }
    }
}
