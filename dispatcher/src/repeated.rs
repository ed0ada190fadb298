//! Records of deliveries that stand twice. A crash between such a record and
//! the commit of its source makes a second one for the same step of the same
//! delivery; the one that is read first counts.

use std::{collections::HashMap, sync::Arc};

use domain::{DeliveryId, Timestamp, record::DeliveryHeaders};

/// One step of one delivery: when it was first due, the attempt to be made, and
/// how often it was deferred.
type Step = (DeliveryId, Timestamp, u32, u32);

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

/// The steps of the last while, in two generations so that forgetting is cheap.
#[derive(Debug, Default)]
pub(crate) struct Repeated {
    young: HashMap<Step, Seen>,
    old: HashMap<Step, Seen>,
}

/// How many steps a generation holds: what a crash can repeat, which is a
/// quarter of a second of the fastest throughput.
const GENERATION: usize = 16_384;

impl Repeated {
    /// Whether this step was read before on the same topic, from another
    /// record. The same record read again is none: it was not completed. (The
    /// same step on another topic is none either: what had no room went on.)
    pub(crate) fn is_repeated(
        &mut self,
        id: DeliveryId,
        state: &DeliveryHeaders,
        seen: Seen,
    ) -> bool {
        let step = (id, state.first_at, state.attempt, state.deferrals);
        let before = self.young.get(&step).or_else(|| self.old.get(&step));
        if let Some(before) = before
            && before.topic == seen.topic
        {
            return *before != seen;
        }
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(step, seen);
        false
    }
}
