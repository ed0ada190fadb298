//! What the receivers' log says of a run: what came too early, what came
//! again, and why.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use e2e::receiver::{Log, Request};

use crate::incidents::{Cause, Incident};
use crate::load::DELIVERED;

/// The delay before each retry.
pub(crate) const SCHEDULE: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(4),
    Duration::from_secs(5),
];
/// The same as settings say it.
pub(crate) const SCHEDULE_TEXT: [&str; 5] = ["1s", "2s", "3s", "4s", "5s"];
/// An attempt ends after this time without an answer.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(5);
/// Between the end of an answer as the receiver sees it and as the dispatcher
/// does: rounding to milliseconds where there was an answer, and the way of a
/// connection's end where there was none.
const ANSWERED_TOLERANCE: Duration = Duration::from_millis(5);
const BROKEN_TOLERANCE: Duration = Duration::from_millis(50);
/// What is complete is committed every quarter of a second; for the commit to
/// reach the broker on a busy machine some more.
const COMMIT: Duration = Duration::from_millis(250);
const COMMIT_STORED: Duration = Duration::from_secs(1);
/// A crashed member's partitions wait for the end of its session (6 s) and a
/// rebalance. Until then the broker takes no commit of the others either, whose
/// request to join waits on the same connection.
const TAKEN_OVER: Duration = Duration::from_secs(10);
/// A request on a connection that had been closed goes out again within this
/// time; what a crash repeats takes a session.
const AT_ONCE: Duration = Duration::from_millis(100);
/// So many repetitions of a cause are described.
const EXAMPLES: usize = 5;

/// All requests of one event to one endpoint, in the order of their arrival.
pub(crate) type Delivery = Vec<Arc<Request>>;

pub(crate) fn deliveries(log: &Log) -> Vec<Delivery> {
    let mut deliveries: HashMap<(&str, &str), Delivery> = HashMap::new();
    for request in log.all() {
        let id = (request.path.as_str(), request.webhook_id());
        deliveries.entry(id).or_default().push(Arc::clone(request));
    }
    deliveries.into_values().collect()
}

/// `X-FeedbackPro-Attempt`.
fn number(request: &Request) -> usize {
    let number = request.header("x-feedbackpro-attempt").parse();
    number.expect("every delivery says which attempt it is")
}

pub(crate) fn is_delivered(request: &Request) -> bool {
    request.status() == Some(DELIVERED)
}

fn ended(request: &Request) -> Option<Instant> {
    request.lasted().map(|lasted| request.instant + lasted)
}

/// The earliest moment at which the dispatcher can have known the outcome.
fn known(request: &Request) -> Instant {
    let limit = request.instant + ATTEMPT_LIMIT;
    let end = ended(request).map_or(limit, |end| end.min(limit));
    // A body that breaks off has a status, too, and says so by a 200.
    match request.status() {
        Some(200) | None => end - BROKEN_TOLERANCE,
        Some(_) => end - ANSWERED_TOLERANCE,
    }
}

/// The attempts that came before the schedule's delay after an outcome of the
/// attempt before had passed, in words.
pub(crate) fn early(delivery: &Delivery) -> Vec<String> {
    let mut early = Vec::new();
    for request in delivery {
        let attempt = number(request);
        let Some(delay) = attempt.checked_sub(2).and_then(|step| SCHEDULE.get(step)) else {
            continue;
        };
        // The first of them where a crash repeated it: each may lead to a retry.
        let before = delivery
            .iter()
            .filter(|before| number(before) == attempt - 1 && before.instant < request.instant)
            .map(|before| known(before))
            .min();
        // None: it failed before it reached the receiver.
        if let Some(before) = before
            && request.instant < before + *delay
        {
            let (id, path) = (request.webhook_id(), &request.path);
            let by = before + *delay - request.instant;
            early.push(format!("{id} at {path}: attempt {attempt} by {by:?}"));
        }
    }
    early
}

/// A request that was not needed: this attempt was made before, or the event
/// delivered. With the one that it repeats.
struct Repeat<'a> {
    first: &'a Request,
    again: &'a Request,
}

impl Repeat<'_> {
    fn is_of_a_closed_connection(&self) -> bool {
        let closed = ended(self.first).filter(|_| self.first.status().is_none());
        number(self.first) == number(self.again)
            && closed.is_some_and(|closed| self.again.instant < closed + AT_ONCE)
    }
}

fn repeats(delivery: &Delivery) -> Vec<Repeat<'_>> {
    let mut repeats = Vec::new();
    for (index, again) in delivery.iter().enumerate() {
        let before = || delivery.iter().take(index).rev();
        let same = before().find(|first| number(first) == number(again));
        let first = same.or_else(|| {
            before().find(|first| {
                let over = ended(first).is_some_and(|end| end <= again.instant);
                is_delivered(first) && over
            })
        });
        if let Some(first) = first {
            repeats.push(Repeat { first, again });
        }
    }
    repeats
}

/// Why a delivery was sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    Incident(Cause),
    /// The shop posted it again after no answer, and Kafka had both.
    PostedAgain,
    /// The receiver closed the connection without an answer, as one does with
    /// an idle one: the same attempt went out on a new connection at once.
    Closed,
    /// None of it.
    Unknown,
}

#[derive(Debug, Default)]
pub(crate) struct Count {
    /// Requests sent again.
    pub(crate) repeats: usize,
    /// Later ones of deliveries that had been sent again: each of both went on.
    pub(crate) follow_ups: usize,
    pub(crate) incidents: usize,
    /// The most repeats that are allowed.
    pub(crate) bound: usize,
    /// Some of them, in words.
    pub(crate) examples: Vec<String>,
}

/// Counts repetitions by what caused them. `copies` says how often each event
/// stands on the topic of events.
pub(crate) fn count(
    deliveries: &[Delivery],
    copies: &HashMap<String, usize>,
    incidents: &[Incident],
) -> BTreeMap<Why, Count> {
    let mut counts: BTreeMap<Why, Count> = BTreeMap::new();
    for incident in incidents {
        let count = counts.entry(Why::Incident(incident.cause)).or_default();
        count.incidents += 1;
        count.bound += bound(deliveries, incident, incidents);
    }
    for delivery in deliveries {
        let repeats = repeats(delivery);
        let Some(first) = repeats.first() else {
            continue;
        };
        let id = first.again.webhook_id();
        let posted_again = copies.get(id).is_some_and(|copies| *copies > 1);
        let mut last = None;
        for repeat in &repeats {
            let why = match cause(repeat, incidents) {
                _ if repeat.is_of_a_closed_connection() => Why::Closed,
                _ if posted_again => Why::PostedAgain,
                Some(cause) => Why::Incident(cause),
                None => Why::Unknown,
            };
            // Where both of two go on, no incident stands before the second's
            // retries; that of the first repeat explains them.
            let explained = match why {
                Why::Incident(cause) => cause.may_repeat(),
                Why::PostedAgain => true,
                Why::Closed | Why::Unknown => false,
            };
            match last {
                Some(before) if !explained && why != Why::Closed => {
                    counts.entry(before).or_default().follow_ups += 1
                }
                Some(_) | None => {
                    let count = counts.entry(why).or_default();
                    count.repeats += 1;
                    if count.examples.len() < EXAMPLES {
                        count.examples.push(describe(repeat, incidents));
                    }
                    if explained {
                        last = Some(why);
                    }
                }
            }
        }
    }
    counts
}

/// With times since the first incident.
fn describe(repeat: &Repeat<'_>, incidents: &[Incident]) -> String {
    let Repeat { first, again } = repeat;
    let start = incidents.first().map_or(first.instant, |first| first.from);
    let at = |instant: Instant| instant.saturating_duration_since(start);
    format!(
        "{} at {}: attempt {} at {:.3?} was {:?} after {:.3?}, attempt {} at {:.3?}",
        again.webhook_id(),
        again.path,
        number(first),
        at(first.instant),
        first.status(),
        first.lasted(),
        number(again),
        at(again.instant)
    )
}

/// What happened between an attempt and its repetition, or shortly before both:
/// what a crashed member handed on without a commit, and what is read again
/// because of that, wait for the same take-over. What may cause a repetition
/// comes first, and of several the last.
fn cause(repeat: &Repeat<'_>, incidents: &[Incident]) -> Option<Cause> {
    let between = incidents.iter().filter(|incident| {
        let complete = ended(repeat.first).unwrap_or(repeat.again.instant);
        let over = if incident.cause.may_repeat() {
            TAKEN_OVER
        } else {
            COMMIT_STORED
        };
        incident.from <= repeat.again.instant && complete <= incident.to + over
    });
    let cause = between.max_by_key(|incident| (incident.cause.may_repeat(), incident.from));
    cause.map(|incident| incident.cause)
}

/// How many repetitions an incident may cause: what was in flight, and a
/// quarter of a second of throughput, that is the best in the two seconds
/// before. While the broker is down nothing can be committed, so that all that
/// is sent meanwhile may be sent again; nor while a crash before this one is
/// not settled.
fn bound(deliveries: &[Delivery], incident: &Incident, incidents: &[Incident]) -> usize {
    if !incident.cause.may_repeat() {
        return 0;
    }
    let all = || deliveries.iter().flatten();
    let in_flight = all()
        .filter(|request| request.instant <= incident.from)
        .filter(|request| ended(request).is_none_or(|end| end > incident.from))
        .count();
    let within = |from: Instant, to: Instant| {
        all()
            .filter(|request| from <= request.instant && request.instant < to)
            .count()
    };
    let quarters = (1..=8).map(|back| {
        let from = incident.from - back * COMMIT;
        within(from, from + COMMIT)
    });
    let while_down = match incident.cause {
        Cause::BrokerKilled => within(incident.from, incident.to),
        Cause::Killed
        | Cause::StoodStill
        | Cause::EndedByItself
        | Cause::Stopped
        | Cause::Joined
        | Cause::Left => 0,
    };
    let unsettled = incidents.iter().filter(|before| {
        before.cause.may_repeat()
            && before.from < incident.from
            && incident.from < before.to + TAKEN_OVER
    });
    let since = unsettled.map(|before| before.from).min();
    let unsettled = since.map_or(0, |since| within(since, incident.from));
    in_flight + quarters.max().unwrap_or_default() + while_down + unsettled
}

/// One line a cause.
pub(crate) fn table(counts: &BTreeMap<Why, Count>) -> String {
    let mut text = format!(
        "{:<28}{:>10}{:>10}{:>12}{:>10}\n",
        "cause", "times", "repeats", "follow-ups", "bound"
    );
    for (why, count) in counts {
        let Count {
            repeats,
            follow_ups,
            incidents,
            bound,
            examples: _,
        } = count;
        let why = format!("{why:?}");
        writeln!(
            text,
            "{why:<28}{incidents:>10}{repeats:>10}{follow_ups:>12}{bound:>10}"
        )
        .expect("text grows");
    }
    text
}
