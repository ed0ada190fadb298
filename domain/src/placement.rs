//! Where a delivery goes that may be sent now. One pure function, a row of the
//! table in `docs/ARCHITECTURE.md` each.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DeadLetterReason, EndpointState, Schedule, Tier, Timestamp};

/// From this pace on the dispatcher is the limit, and not the endpoint.
const FAST_PACE: u32 = 10_000;
/// No lane waits for a slower one, however many share the dispatcher.
const SLOWEST_FAST_PACE: u32 = 200;
/// Whoever keeps pace is not silent for the time of so many answers: no lane waits
/// for one that is.
const SILENT_ANSWERS: u32 = 200;
/// An endpoint that is silent or closed for this long does not move its queue.
pub const MOVING: Duration = Duration::from_secs(1);
/// An endpoint that gave no answer for this long is unresponsive.
pub const UNRESPONSIVE_AFTER: Duration = Duration::from_secs(30);
/// A close that is longer than this is not waited for in `webhooks.ready`.
pub const LONGEST_CLOSE_IN_READY: Duration = Duration::from_secs(30);
/// A delivery that found no room for this long is given up.
pub const EXPIRES_AFTER: Duration = Duration::from_secs(3 * 24 * 3600);

/// What the placement needs to know of an endpoint, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// Enabled, paused or disabled.
    pub state: EndpointState,
    /// Room in the in-flight limit, the rate limit and the shared budgets, and
    /// not closed.
    pub room: bool,
    /// Room in the short queue in memory.
    pub queue_room: bool,
    /// Answers a second that it can give: as many as it gave lately, or as all its
    /// slots could where the dispatcher has no time left. `None` while its first
    /// attempt ever is younger than 100 ms, and where there is room.
    pub pace: Option<u32>,
    /// Deliveries a second that the dispatcher gets done (attempts, and what it hands
    /// on) for each endpoint where something waits, on average, where it has no time
    /// left. `None` while it has.
    pub share: Option<u32>,
    /// How long something has been on its way to it without any answer; zero
    /// when nothing is, or nothing was ever sent.
    pub silent_for: Duration,
    /// How much longer it is closed by `Retry-After`; zero when it is open.
    pub closed_for: Duration,
}

/// What the placement needs to know of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// When it was first due, set at fan-out and anew by a re-send.
    pub first_at: Timestamp,
    /// How often it was deferred.
    pub deferrals: u32,
    /// Whether it comes from a lane that is paced already (`ready`, `resend`),
    /// which may keep it in its look-ahead.
    pub paced: bool,
}

/// Why a delivery waits without an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeferReason {
    /// A person paused the endpoint.
    Paused,
    /// The endpoint has given no answer for [`UNRESPONSIVE_AFTER`].
    Unresponsive,
    /// The endpoint asked by `Retry-After` to be left alone.
    Closed,
    /// The dispatcher cannot open the endpoint's secrets, so that nothing can
    /// be signed: a setting of ours is wrong.
    Unsigned,
}

impl DeferReason {
    /// The word in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Unresponsive => "unresponsive",
            Self::Closed => "closed",
            Self::Unsigned => "unsigned",
        }
    }
}

/// Where the delivery goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Out.
    Send,
    /// Into the short queue in memory.
    Queue,
    /// Nowhere yet: its lane waits for room. Only where that is short: the
    /// endpoint keeps pace, or the lane is paced.
    Wait,
    /// To `webhooks.ready`: it comes back at the endpoint's pace.
    Ready,
    /// To a retry topic, without counting an attempt.
    Defer {
        /// Which one.
        tier: Tier,
        /// Why.
        reason: DeferReason,
    },
    /// To the dead-letter topic.
    DeadLetter(DeadLetterReason),
}

/// Places a delivery that is due.
#[must_use]
pub fn place(gate: &Gate, waiting: Waiting, now: Timestamp, schedule: &Schedule) -> Place {
    let later = |place| {
        if now.since(waiting.first_at) > EXPIRES_AFTER {
            Place::DeadLetter(DeadLetterReason::Expired)
        } else {
            place
        }
    };
    let defer = |reason| {
        let tier = schedule.for_deferral(waiting.deferrals);
        later(Place::Defer { tier, reason })
    };
    match gate.state {
        EndpointState::Disabled => {
            return Place::DeadLetter(DeadLetterReason::EndpointDisabled);
        }
        EndpointState::Paused => return defer(DeferReason::Paused),
        EndpointState::Enabled => {}
    }
    if gate.room {
        return Place::Send;
    }
    // Before the queue: what waits in memory holds an offset back, so it must
    // be certain to move soon.
    if gate.silent_for > UNRESPONSIVE_AFTER {
        return defer(DeferReason::Unresponsive);
    }
    if gate.closed_for > LONGEST_CLOSE_IN_READY {
        return defer(DeferReason::Closed);
    }
    if waiting.paced {
        return later(Place::Wait);
    }
    if gate.queue_room && gate.silent_for < MOVING && gate.closed_for <= MOVING {
        return Place::Queue;
    }
    let fast = fast_pace(gate.share);
    let still_fast = Duration::from_secs(1) * SILENT_ANSWERS / fast;
    if gate.silent_for < still_fast && gate.pace.is_none_or(|pace| pace >= fast) {
        return Place::Wait;
    }
    later(Place::Ready)
}

/// The pace from which on the dispatcher is the limit. Where it has no time left, an
/// endpoint that gets half of an equal share gets less than the others by chance only.
fn fast_pace(share: Option<u32>) -> u32 {
    share.map_or(FAST_PACE, |share| {
        (share / 2).clamp(SLOWEST_FAST_PACE, FAST_PACE)
    })
}
