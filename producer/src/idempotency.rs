//! Which keyed events this replica has published lately, so that a request sent
//! twice publishes once. Beyond that, receivers tell repetitions by the id.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::EventId;
use tokio::sync::watch;

/// How long a key is remembered.
pub(crate) const REMEMBERED_FOR: Duration = Duration::from_secs(600);
/// How many are remembered, about 30 MB; the oldest make room.
pub(crate) const REMEMBERED_KEYS: usize = 200_000;

/// What tells two bodies apart: SHA-256 of the bytes as they came.
pub(crate) type BodyHash = [u8; 32];

/// The keyed events of the last minutes. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    memory: Arc<Mutex<Memory>>,
    most: usize,
}

#[derive(Debug, Default)]
struct Memory {
    events: HashMap<EventId, Remembered>,
    /// In the order they came. Holds claims already given up, too.
    order: VecDeque<(Instant, EventId, u64)>,
    claims: u64,
}

#[derive(Debug)]
struct Remembered {
    body: BodyHash,
    claim: u64,
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    InFlight(watch::Receiver<bool>),
    Published,
}

/// What is known of a keyed event.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Nothing: publish it and say so to the claim.
    First(Claim),
    /// Another request publishes it right now.
    InFlight(Outcome),
    /// It is published.
    Published,
    /// The key stands for another body.
    OtherBody,
}

/// The right to publish a keyed event. Dropping it means that the event was
/// not published, and gives the key free.
#[derive(Debug)]
pub(crate) struct Claim {
    keys: Keys,
    id: EventId,
    claim: u64,
    published: watch::Sender<bool>,
}

/// What becomes of the other request's event.
#[derive(Debug)]
pub(crate) struct Outcome(watch::Receiver<bool>);

impl Keys {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            memory: Arc::default(),
            most,
        }
    }

    /// Looks an event up; the first to ask for it has to publish it.
    pub(crate) fn claim(&self, id: EventId, body: BodyHash, now: Instant) -> Seen {
        let mut memory = self.memory();
        memory.forget(now, self.most);
        if let Some(known) = memory.events.get(&id) {
            if known.body != body {
                return Seen::OtherBody;
            }
            return match &known.state {
                State::Published => Seen::Published,
                State::InFlight(outcome) => Seen::InFlight(Outcome(outcome.clone())),
            };
        }
        let (published, outcome) = watch::channel(false);
        memory.claims += 1;
        let claim = memory.claims;
        let state = State::InFlight(outcome);
        memory.events.insert(id, Remembered { body, claim, state });
        memory.order.push_back((now, id, claim));
        Seen::First(Claim {
            keys: self.clone(),
            id,
            claim,
            published,
        })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Whole after every step: a poisoned lock harms nothing.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// Lets go of what is too old or too much.
    fn forget(&mut self, now: Instant, most: usize) {
        while let Some((at, id, claim)) = self.order.front().copied() {
            if now.duration_since(at) < REMEMBERED_FOR && self.order.len() < most {
                break;
            }
            self.order.pop_front();
            self.remove(id, claim);
        }
    }

    /// Removes an event, unless it was claimed anew since.
    fn remove(&mut self, id: EventId, claim: u64) {
        if self.events.get(&id).is_some_and(|it| it.claim == claim) {
            self.events.remove(&id);
        }
    }
}

impl Claim {
    /// The event is on all in-sync replicas.
    pub(crate) fn published(self) {
        let mut memory = self.keys.memory();
        if let Some(event) = memory.events.get_mut(&self.id)
            && event.claim == self.claim
        {
            event.state = State::Published;
        }
        drop(memory);
        self.published.send_replace(true);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !*self.published.borrow() {
            // Before the sender goes: who waits for it finds the key free.
            self.keys.memory().remove(self.id, self.claim);
        }
    }
}

impl Outcome {
    /// Whether the other request's event was published in the end.
    pub(crate) async fn published(mut self) -> bool {
        self.0.wait_for(|published| *published).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: BodyHash = [1; 32];
    const OTHER: BodyHash = [2; 32];

    fn first(seen: Seen) -> Claim {
        let Seen::First(claim) = seen else {
            panic!("expected the first, found {seen:?}");
        };
        claim
    }

    #[test]
    fn a_published_event_is_known_for_ten_minutes() {
        let (keys, id, start) = (Keys::new(10), EventId::generate(), Instant::now());
        first(keys.claim(id, BODY, start)).published();
        let almost = start + REMEMBERED_FOR - Duration::from_millis(1);
        assert!(matches!(keys.claim(id, BODY, almost), Seen::Published));
        assert!(matches!(keys.claim(id, OTHER, almost), Seen::OtherBody));
        drop(first(keys.claim(id, OTHER, start + REMEMBERED_FOR)));
    }

    #[test]
    fn what_was_not_published_may_be_tried_again_also_with_another_body() {
        let (keys, id, now) = (Keys::new(10), EventId::generate(), Instant::now());
        drop(first(keys.claim(id, BODY, now)));
        drop(first(keys.claim(id, OTHER, now)));
    }

    #[tokio::test]
    async fn the_second_learns_what_becomes_of_the_first() {
        let (keys, id, now) = (Keys::new(10), EventId::generate(), Instant::now());
        let claim = first(keys.claim(id, BODY, now));
        let Seen::InFlight(second) = keys.claim(id, BODY, now) else {
            panic!("the first is in flight");
        };
        drop(claim);
        assert!(!second.published().await);

        let claim = first(keys.claim(id, BODY, now));
        let Seen::InFlight(second) = keys.claim(id, BODY, now) else {
            panic!("the first is in flight");
        };
        claim.published();
        assert!(second.published().await);
    }

    #[test]
    fn the_oldest_make_room_and_a_late_claim_of_theirs_changes_nothing() {
        let (keys, old, now) = (Keys::new(2), EventId::generate(), Instant::now());
        let late = first(keys.claim(old, BODY, now));
        for _ in 0..5 {
            first(keys.claim(EventId::generate(), BODY, now)).published();
        }
        assert!(keys.memory().events.len() <= 2 && keys.memory().order.len() <= 2);
        let again = first(keys.claim(old, OTHER, now));
        late.published();
        assert!(matches!(keys.claim(old, OTHER, now), Seen::InFlight(_)));
        again.published();
        assert!(matches!(keys.claim(old, OTHER, now), Seen::Published));
    }
}
