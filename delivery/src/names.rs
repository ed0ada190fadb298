//! What is known of names: checked addresses, for a while, and lookups under way.

use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Cause;

use crate::limits::Limits;
use crate::lookup::{Answer, Lookup};
use crate::target::Origin;

/// How long a failed lookup is remembered, so that those who wait for one name do
/// not ask in turn.
const FAILED_TTL: Duration = Duration::from_secs(1);

/// A name server that hangs or is down must not stop endpoints whose addresses are
/// known (RFC 8767, serve stale): after this wait the old answer is used, ...
const PATIENCE: Duration = Duration::from_millis(250);
/// ... for so long until the lookup is waited for again, ...
const STALE_TTL: Duration = Duration::from_secs(5);
/// ... and never when it is older than this. All of these addresses have been checked.
const MAX_STALE: Duration = Duration::from_secs(600);

/// How long a lookup that nobody waits for any more is kept for those to come. The
/// system gives up sooner.
const LONGEST_LOOKUP: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
struct Name {
    /// What to use until when.
    answer: Option<(Answer, Instant)>,
    /// The last good answer, and when it came.
    good: Option<(Arc<[IpAddr]>, Instant)>,
    lookup: Option<Rc<Lookup>>,
}

impl Name {
    fn stale(&self, now: Instant) -> Option<&Arc<[IpAddr]>> {
        let (addresses, came) = self.good.as_ref()?;
        (now.saturating_duration_since(*came) < MAX_STALE).then_some(addresses)
    }
}

/// A lookup, and until when to wait for it.
pub(crate) struct Waiting {
    pub(crate) lookup: Rc<Lookup>,
    pub(crate) until: Instant,
}

/// All names, by origin.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<Arc<str>, Name>);

impl Names {
    /// The answer to use now; `None` when the name must be looked up.
    pub(crate) fn answer(&self, origin: &Origin, now: Instant) -> Option<Answer> {
        let (answer, until) = self.0.get(&origin.text)?.answer.as_ref()?;
        (now < *until).then(|| answer.clone())
    }

    /// The lookup to wait for: the one under way, or a new one.
    pub(crate) fn lookup(
        &mut self,
        origin: &Origin,
        deadline: Instant,
        start: impl FnOnce() -> Lookup,
    ) -> Waiting {
        let now = Instant::now();
        let name = self.0.entry(Arc::clone(&origin.text)).or_default();
        let until = match name.stale(now) {
            Some(_) => deadline.min(now + PATIENCE),
            None => deadline,
        };
        let lookup = name.lookup.get_or_insert_with(|| Rc::new(start()));
        let lookup = Rc::clone(lookup);
        Waiting { lookup, until }
    }

    /// Remembers what waiting came to, and says what to use.
    pub(crate) fn settle(
        &mut self,
        origin: &Origin,
        waited_for: &Rc<Lookup>,
        answer: Answer,
        finished: bool,
        limits: &Limits,
    ) -> Answer {
        let now = Instant::now();
        let name = self.0.entry(Arc::clone(&origin.text)).or_default();
        let current = name.lookup.as_ref();
        if finished && current.is_some_and(|lookup| Rc::ptr_eq(lookup, waited_for)) {
            name.lookup = None;
        }
        let (answer, ttl) = match answer {
            Ok(addresses) => {
                name.good = Some((Arc::clone(&addresses), now));
                (Ok(addresses), limits.dns_ttl)
            }
            Err(failure) => match name.stale(now) {
                Some(addresses) if failure.cause == Cause::Dns => {
                    (Ok(Arc::clone(addresses)), STALE_TTL.min(limits.dns_ttl))
                }
                _ => {
                    name.good = None;
                    (Err(failure), FAILED_TTL.min(limits.dns_ttl))
                }
            },
        };
        // While a lookup runs that nothing is known without, it is waited for.
        name.answer = (finished || answer.is_ok()).then(|| (answer.clone(), now + ttl));
        answer
    }

    /// Forgets what is out of date.
    pub(crate) fn sweep(&mut self, now: Instant) {
        self.0.retain(|_, name| {
            let fresh = name.answer.as_ref().is_some_and(|(_, until)| now < *until);
            let looking = name.lookup.as_ref().is_some_and(|lookup| {
                let waited_for = Rc::strong_count(lookup) > 1;
                waited_for || now.saturating_duration_since(lookup.started) < LONGEST_LOOKUP
            });
            fresh || looking || name.stale(now).is_some()
        });
    }
}
