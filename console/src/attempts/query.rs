//! What can be asked. Each question touches few rows, however many there are.

mod deliveries;
mod delivery;
mod endpoints;
mod failing;
mod series;
mod subjects;
mod summary;
mod waiting;

use domain::AccountId;

pub use deliveries::{Cursor, Filter, MOST_ON_A_PAGE, NotACursor, Page};
pub use delivery::{Delivery, MOST_RECORDS};
pub use endpoints::EndpointFigures;
pub use failing::Failing;
pub use series::{Point, Series};
pub use summary::DeliverySummary;
pub use waiting::{AtTier, Waiting, WaitingAtEndpoint};

pub(super) use deliveries::page;
pub(super) use delivery::delivery;
pub(super) use endpoints::endpoints;
pub(super) use failing::failing;
pub(super) use series::series;
pub(super) use waiting::waiting;

/// The subject that is everybody together.
pub(super) const EVERYBODY: i64 = 0;

/// What may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// What belongs to one account.
    Account(AccountId),
    /// Everything.
    All,
}
