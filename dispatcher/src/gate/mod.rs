//! One gate an endpoint: how much may be under way at it, and what waits.

mod limit;
mod pace;

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    rc::Rc,
    time::{Duration, Instant},
};

use domain::{AccountId, EndpointId, EndpointState, Gate as View, LimitChange, Outcome, Verdict};
use rustc_hash::FxHashMap;
use tokio::sync::Notify;

use self::{
    limit::{InFlightLimit, RateLimit},
    pace::Pace,
};
use crate::{endpoints::Entry, work::Delivery};

/// So many wait in memory for one endpoint at most, some 800 kB.
const MOST_QUEUED: usize = 500;

/// The bounds that the settings give.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Attempts under way at one endpoint: at first, and at most.
    pub(crate) endpoint_start: usize,
    pub(crate) endpoint_max: usize,
    /// Attempts under way at all endpoints.
    pub(crate) global: usize,
}

impl Limits {
    /// One account gets at most an eighth of all.
    fn account(self) -> usize {
        (self.global / 8).max(1)
    }
}

/// What stands in the way of one more attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Free,
    /// The endpoint's own limit: a slot that ends makes room.
    Full,
    /// Closed or rate limited: time makes room.
    After(Duration),
    /// The account's share is used up: a slot of the same account makes room.
    Account,
    /// What all endpoints share is used up: any slot that ends makes room.
    Global,
}

/// An endpoint's gate.
pub(crate) struct Gate {
    endpoint: EndpointId,
    account: Rc<Share>,
    inner: RefCell<Inner>,
    /// Told when the short queue has room again.
    pub(crate) room: Notify,
}

struct Inner {
    limit: InFlightLimit,
    rate: Option<RateLimit>,
    pace: Pace,
    in_flight: usize,
    closed_until: Option<Instant>,
    /// The short queue, of deliveries that hold an offset of a source or delay
    /// lane back.
    queue: VecDeque<Delivery>,
    /// What paced lanes hold in their look-ahead for this endpoint.
    look_ahead: VecDeque<Delivery>,
    /// Says whose turn it is when both wait.
    turn: u8,
    /// A timer is set that will open the gate.
    timer: bool,
    /// It stands in line for a share of what its account or all have.
    in_line: bool,
    /// Since when it has had no turn, from the first time it stood in line.
    in_line_since: Option<Instant>,
}

/// Attempts under way of one account, or of all, and the gates that wait only
/// for one of these to end.
#[derive(Default)]
struct Share {
    in_flight: Cell<usize>,
    line: RefCell<VecDeque<Rc<Gate>>>,
}

impl Share {
    fn enter(&self) {
        self.in_flight.set(self.in_flight.get() + 1);
    }

    fn leave(&self) {
        self.in_flight.set(self.in_flight.get() - 1);
    }

    fn next_in_line(&self) -> Option<Rc<Gate>> {
        let next = self.line.borrow_mut().pop_front()?;
        next.inner.borrow_mut().in_line = false;
        Some(next)
    }
}

/// What to do when a gate may have opened.
pub(crate) enum Pumped {
    /// Send these now, each on a slot of its own. They are counted as under way.
    Start(Vec<Delivery>),
    /// Nothing now, but look again after this time.
    LookAgain(Duration),
    /// Nothing now.
    Nothing,
}

/// What a slot does next.
pub(crate) enum Next {
    /// It goes on with this delivery.
    Go(Delivery),
    /// It ends. Gates in line have their turn, then its own.
    End,
}

/// All gates.
pub(crate) struct Gates {
    limits: Limits,
    gates: RefCell<FxHashMap<EndpointId, Rc<Gate>>>,
    accounts: RefCell<HashMap<AccountId, Rc<Share>>>,
    all: Share,
    /// Attempts that have ended and deliveries that were handed on since
    /// [`Gates::measure`]: what the dispatcher gets done.
    done: Cell<u32>,
    /// See [`View::share`].
    share: Cell<Option<u32>>,
}

impl Gates {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            gates: RefCell::default(),
            accounts: RefCell::default(),
            all: Share::default(),
            done: Cell::default(),
            share: Cell::default(),
        }
    }

    /// The gate of an endpoint.
    pub(crate) fn of(&self, entry: &Entry) -> Rc<Gate> {
        if let Some(gate) = self.gates.borrow().get(&entry.record.id) {
            return Rc::clone(gate);
        }
        let account = Rc::clone(
            self.accounts
                .borrow_mut()
                .entry(entry.record.account.clone())
                .or_default(),
        );
        let gate = Rc::new(Gate {
            endpoint: entry.record.id,
            account,
            inner: RefCell::new(Inner {
                limit: InFlightLimit::new(self.limits.endpoint_start, self.limits.endpoint_max),
                rate: None,
                pace: Pace::default(),
                in_flight: 0,
                closed_until: None,
                queue: VecDeque::new(),
                look_ahead: VecDeque::new(),
                turn: 0,
                timer: false,
                in_line: false,
                in_line_since: None,
            }),
            room: Notify::new(),
        });
        self.gates
            .borrow_mut()
            .insert(entry.record.id, Rc::clone(&gate));
        gate
    }

    /// Works out the share of each endpoint over the time that has `passed` since the
    /// last call. `saturated` is whether the engine's thread had no time left in it.
    pub(crate) fn measure(&self, passed: Duration, saturated: bool) {
        let done = u128::from(self.done.take());
        let share = || {
            let gates = self.gates.borrow();
            let waits = |gate: &&Rc<Gate>| !gate.inner.borrow().queue.is_empty();
            let waiting = gates.values().filter(waits).count().max(1);
            let share = done * 1_000_000 / passed.as_micros().max(1) / waiting as u128;
            u32::try_from(share).unwrap_or(u32::MAX)
        };
        self.share.set(saturated.then(share));
    }

    /// An attempt has ended, or a delivery is handed on.
    pub(crate) fn count_done(&self) {
        self.done.set(self.done.get() + 1);
    }

    /// The gate as the placement sees it.
    pub(crate) fn view(&self, gate: &Gate, entry: &Entry, now: Instant) -> View {
        let mut inner = gate.inner.borrow_mut();
        inner.set_rate(entry.record.max_per_second, now);
        let share = self.share.get();
        let room = !inner.waits() && self.room(gate, &mut inner, now) == Room::Free;
        // Only where somebody looks at it: this is done for each delivery.
        let pace = if room {
            None
        } else {
            inner.pace(now, share.is_some())
        };
        View {
            state: entry.state,
            room,
            queue_room: inner.queue.len() < inner.queue_capacity(),
            pace,
            share,
            silent_for: inner.still_for(now),
            closed_for: inner.closed_for(now),
        }
    }

    /// Whether an endpoint soon takes what has no room at this moment. One that
    /// was never tried is expected to.
    pub(crate) fn keeps_pace(&self, endpoint: EndpointId, now: Instant) -> bool {
        let gates = self.gates.borrow();
        gates.get(&endpoint).is_none_or(|gate| {
            let inner = gate.inner.borrow();
            inner.closed_for(now).is_zero() && inner.pace.keeps_up(now, inner.limit.get())
        })
    }

    fn room(&self, gate: &Gate, inner: &mut Inner, now: Instant) -> Room {
        if inner.in_flight >= inner.limit.get() {
            return Room::Full;
        }
        let closed = inner.closed_for(now);
        let limited = inner
            .rate
            .as_mut()
            .map_or(Duration::ZERO, |rate| rate.wait(now));
        let wait = closed.max(limited);
        if !wait.is_zero() {
            return Room::After(wait);
        }
        if gate.account.in_flight.get() >= self.limits.account() {
            return Room::Account;
        }
        if self.all.in_flight.get() >= self.limits.global {
            return Room::Global;
        }
        Room::Free
    }

    /// Counts one attempt as under way.
    pub(crate) fn enter(&self, gate: &Gate, now: Instant) {
        self.count_in(gate, &mut gate.inner.borrow_mut(), now);
    }

    fn count_in(&self, gate: &Gate, inner: &mut Inner, now: Instant) {
        inner.in_flight += 1;
        inner.in_line_since = None;
        if let Some(rate) = &mut inner.rate {
            rate.take();
        }
        inner.pace.begun(now);
        gate.account.enter();
        self.all.enter();
    }

    /// Takes note of an attempt's end. The slot is still counted.
    pub(crate) fn settle(
        &self,
        gate: &Gate,
        outcome: Outcome,
        verdict: &Verdict,
        began: Instant,
        now: Instant,
    ) {
        self.count_done();
        let mut inner = gate.inner.borrow_mut();
        let others = inner.in_flight > 1;
        let answered = outcome.status().is_some();
        inner.pace.ended(began, now, answered, others);
        inner.limit.apply(verdict.limit, began, now);
        if let LimitChange::HalveAndClose(time) = verdict.limit {
            let until = now + time;
            inner.closed_until = inner.closed_until.max(Some(until));
        }
    }

    /// What may be sent now of what waits at a gate.
    pub(crate) fn pump(&self, gate: &Rc<Gate>, now: Instant) -> Pumped {
        let mut inner = gate.inner.borrow_mut();
        let mut start = Vec::new();
        while inner.waits() {
            match self.room(gate, &mut inner, now) {
                Room::Free => {
                    if let Some(delivery) = inner.pop() {
                        self.count_in(gate, &mut inner, now);
                        start.push(delivery);
                    }
                }
                Room::Full => break,
                Room::After(time) => {
                    if start.is_empty() && !std::mem::replace(&mut inner.timer, true) {
                        return Pumped::LookAgain(time);
                    }
                    break;
                }
                blocked @ (Room::Account | Room::Global) => {
                    inner.in_line_since.get_or_insert(now);
                    if !std::mem::replace(&mut inner.in_line, true) {
                        let share = match blocked {
                            Room::Account => &*gate.account,
                            Room::Free | Room::Full | Room::After(_) | Room::Global => &self.all,
                        };
                        share.line.borrow_mut().push_back(Rc::clone(gate));
                    }
                    break;
                }
            }
        }
        if !inner.waits() {
            inner.in_line_since = None;
        }
        if inner.queue.len() <= inner.queue_capacity() / 2 {
            gate.room.notify_waiters();
        }
        if start.is_empty() {
            Pumped::Nothing
        } else {
            Pumped::Start(start)
        }
    }

    /// What a slot does whose attempt has ended.
    pub(crate) fn next(&self, gate: &Gate, now: Instant) -> Next {
        let mut inner = gate.inner.borrow_mut();
        inner.in_flight -= 1;
        gate.account.leave();
        self.all.leave();
        // Whoever stands in line comes first.
        let nobody_in_line =
            self.all.line.borrow().is_empty() && gate.account.line.borrow().is_empty();
        if nobody_in_line
            && inner.waits()
            && self.room(gate, &mut inner, now) == Room::Free
            && let Some(delivery) = inner.pop()
        {
            self.count_in(gate, &mut inner, now);
            return Next::Go(delivery);
        }
        if !inner.waits() {
            gate.room.notify_waiters();
        }
        Next::End
    }

    /// The gate whose turn it is while all have a share left. Ask until there is
    /// none: whoever cannot use the turn must not end the others'.
    pub(crate) fn next_of_all(&self) -> Option<Rc<Gate>> {
        let free = self.all.in_flight.get() < self.limits.global;
        free.then(|| self.all.next_in_line()).flatten()
    }

    /// The same for the account of a gate whose slot has ended.
    pub(crate) fn next_of_account(&self, ended: &Gate) -> Option<Rc<Gate>> {
        let free = ended.account.in_flight.get() < self.limits.account();
        free.then(|| ended.account.next_in_line()).flatten()
    }

    /// Puts a delivery into the short queue.
    pub(crate) fn enqueue(gate: &Gate, delivery: Delivery) {
        let mut inner = gate.inner.borrow_mut();
        if delivery.paced {
            inner.look_ahead.push_back(delivery);
        } else {
            inner.queue.push_back(delivery);
        }
    }

    /// The timer of [`Pumped::LookAgain`] has run out.
    pub(crate) fn timer_ended(gate: &Gate) {
        gate.inner.borrow_mut().timer = false;
    }

    /// Takes everything out of the gates that do not move, to be placed anew:
    /// what waits in memory must not hold offsets back for long.
    pub(crate) fn take_stuck(&self, now: Instant) -> Vec<Delivery> {
        let mut stuck = Vec::new();
        for gate in self.gates.borrow().values() {
            let mut inner = gate.inner.borrow_mut();
            if !inner.waits() {
                continue;
            }
            let silent = inner.still_for(now);
            let closed_for = inner.closed_for(now);
            let closed = closed_for > domain::LONGEST_CLOSE_IN_READY;
            if closed_for > domain::MOVING || silent >= domain::MOVING {
                stuck.extend(inner.queue.drain(..));
            }
            if closed || silent > domain::UNRESPONSIVE_AFTER {
                stuck.extend(inner.look_ahead.drain(..));
            }
        }
        stuck
    }

    /// Takes out what waits and may not begin any more: its partition goes.
    pub(crate) fn take_stopped(&self) -> Vec<Delivery> {
        let mut stopped = Vec::new();
        for gate in self.gates.borrow().values() {
            let inner = &mut *gate.inner.borrow_mut();
            for waiting in [&mut inner.queue, &mut inner.look_ahead] {
                if waiting.iter().all(|delivery| delivery.ticket.may_begin()) {
                    continue;
                }
                for delivery in std::mem::take(waiting) {
                    if delivery.ticket.may_begin() {
                        waiting.push_back(delivery);
                    } else {
                        stopped.push(delivery);
                    }
                }
            }
        }
        stopped
    }

    /// Forgets gates of endpoints that are gone and have nothing under way.
    pub(crate) fn forget(&self, exists: impl Fn(EndpointId) -> bool) {
        self.gates.borrow_mut().retain(|id, gate| {
            let inner = gate.inner.borrow();
            inner.in_flight > 0 || inner.waits() || exists(*id)
        });
        self.accounts
            .borrow_mut()
            .retain(|_, share| Rc::strong_count(share) > 1);
    }

    /// Attempts under way, and deliveries that wait in memory.
    pub(crate) fn totals(&self) -> (usize, usize) {
        let gates = self.gates.borrow();
        let waiting = gates.values().map(|gate| {
            let inner = gate.inner.borrow();
            inner.queue.len() + inner.look_ahead.len()
        });
        (self.all.in_flight.get(), waiting.sum())
    }
}

impl Gate {
    pub(crate) fn endpoint(&self) -> EndpointId {
        self.endpoint
    }
}

impl Inner {
    /// What it can take a second. Where the dispatcher has time left, the endpoint is
    /// what limits it, and no more is expected than it took lately. Nothing more while
    /// it is closed than it took.
    fn pace(&mut self, now: Instant, saturated: bool) -> Option<u32> {
        let is_open = self.closed_for(now).is_zero();
        let slots = if is_open { self.limit.get() } else { 0 };
        let pace = self.pace.per_second(now, slots)?;
        let pace = if is_open && !saturated {
            self.pace.lately().gave
        } else {
            pace.could
        };
        Some(pace.min(self.most_per_second()))
    }

    /// What its own setting allows.
    fn most_per_second(&self) -> u32 {
        self.rate.as_ref().map_or(u32::MAX, RateLimit::per_second)
    }

    /// How long the short queue may become: twice what may be under way, or what the
    /// endpoint takes in a quarter of a second where that is more ([`MOST_QUEUED`] at
    /// most). A standstill of some ten milliseconds then makes no lane wait for a
    /// quick endpoint, and no record take the way through `webhooks.ready`.
    fn queue_capacity(&self) -> usize {
        let taken = self.pace.lately().could.min(self.most_per_second()) / 4;
        let taken = usize::try_from(taken).unwrap_or(MOST_QUEUED);
        taken.min(MOST_QUEUED).max(2 * self.limit.get())
    }

    /// How long nothing has moved: it does not answer, or has no turn.
    fn still_for(&self, now: Instant) -> Duration {
        let in_line = self
            .in_line_since
            .map_or(Duration::ZERO, |since| now.duration_since(since));
        self.pace.silent_for(now).max(in_line)
    }

    fn waits(&self) -> bool {
        !self.queue.is_empty() || !self.look_ahead.is_empty()
    }

    /// The oldest of either kind, in turns: neither starves the other. The short queue
    /// has most of the turns while it fills: what finds no room there is written to
    /// `webhooks.ready` and read again, which is dear.
    fn pop(&mut self) -> Option<Delivery> {
        let fills = self.queue.len() > self.queue_capacity() / 2;
        self.turn = self.turn.wrapping_add(1);
        if self.turn.is_multiple_of(if fills { 8 } else { 2 }) {
            self.look_ahead
                .pop_front()
                .or_else(|| self.queue.pop_front())
        } else {
            self.queue
                .pop_front()
                .or_else(|| self.look_ahead.pop_front())
        }
    }

    fn closed_for(&self, now: Instant) -> Duration {
        self.closed_until
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    fn set_rate(&mut self, per_second: Option<u32>, now: Instant) {
        let per_second = per_second.map(|rate| rate.max(1));
        if self.rate.as_ref().map(RateLimit::per_second) != per_second {
            self.rate = per_second.map(|rate| RateLimit::new(rate, now));
        }
    }
}

/// A paused or disabled endpoint's deliveries are placed, not sent.
pub(crate) fn may_send(entry: &Entry) -> bool {
    entry.state == EndpointState::Enabled
}
