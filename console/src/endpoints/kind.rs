//! The kinds of changes.

use domain::AuditAction;

/// What is done to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Created,
    Changed,
    Paused,
    Resumed,
    Deleted,
    SecretRotated,
}

impl Kind {
    /// What the audit calls it.
    pub(super) const fn action(self) -> AuditAction {
        match self {
            Self::Created => AuditAction::EndpointCreated,
            Self::Changed => AuditAction::EndpointChanged,
            Self::Paused => AuditAction::EndpointPaused,
            Self::Resumed => AuditAction::EndpointResumed,
            Self::Deleted => AuditAction::EndpointDeleted,
            Self::SecretRotated => AuditAction::SecretRotated,
        }
    }

    /// The word in metrics and logs.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Deleted => "deleted",
            Self::SecretRotated => "secret_rotated",
        }
    }
}
