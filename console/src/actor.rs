//! Who asks for something, and how far that reaches.

use domain::AccountId;

use crate::attempts;

/// Whose data may be seen and changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those of one account.
    Account(AccountId),
    /// All.
    Every,
}

impl Scope {
    /// Whether the account's data may be seen.
    #[must_use]
    pub(crate) fn reaches(&self, account: &AccountId) -> bool {
        match self {
            Self::Account(own) => own == account,
            Self::Every => true,
        }
    }
}

impl From<Scope> for attempts::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Account(account) => Self::Account(account),
            Scope::Every => Self::All,
        }
    }
}

/// Somebody with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Actor {
    /// Whose data the token reaches.
    pub(crate) scope: Scope,
    /// The token's id in `auth.tokens`: what the audit calls it.
    pub(crate) token: String,
}

/// Why something is not done for an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotForAccount {
    /// The token is one of another account.
    #[error("the token is one of the account {own} and does not reach {named}")]
    OutOfReach {
        /// The token's account.
        own: AccountId,
        /// The one that was named.
        named: AccountId,
    },
    /// The token reaches all, so one must be named.
    #[error("the account that this is for is missing")]
    Unnamed,
}

impl Actor {
    /// Its own scope, narrowed to the account that is named.
    ///
    /// # Errors
    /// [`NotForAccount::OutOfReach`].
    pub(crate) fn narrowed(&self, named: Option<AccountId>) -> Result<Scope, NotForAccount> {
        match (&self.scope, named) {
            (scope, None) => Ok(scope.clone()),
            (Scope::Account(own), Some(named)) if *own != named => {
                let own = own.clone();
                Err(NotForAccount::OutOfReach { own, named })
            }
            (Scope::Account(_) | Scope::Every, Some(named)) => Ok(Scope::Account(named)),
        }
    }

    /// The account that something is for: its own, or the one that is named.
    ///
    /// # Errors
    /// See [`NotForAccount`].
    pub(crate) fn account(&self, named: Option<AccountId>) -> Result<AccountId, NotForAccount> {
        match self.narrowed(named)? {
            Scope::Account(account) => Ok(account),
            Scope::Every => Err(NotForAccount::Unnamed),
        }
    }
}
