//! What is done to the running system, and when.

use std::time::{Duration, Instant};

use e2e::{Binary, Broker, Service, Signal, Stack};

use crate::luck::Luck;

const SOON: Duration = Duration::from_secs(60);
/// librdkafka tries a broker that was away again after 10 s at the latest;
/// until then nothing that was sent can be committed.
const RECONNECTED: Duration = Duration::from_secs(10);

/// What may make a delivery be sent again, and what must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// SIGKILL of a dispatcher.
    Killed,
    /// SIGSTOP for longer than its session.
    StoodStill,
    /// SIGKILL of the broker.
    BrokerKilled,
    /// A dispatcher that could not go on, and was started again as a
    /// supervisor would.
    EndedByItself,
    /// SIGTERM and a new start.
    Stopped,
    /// One dispatcher more.
    Joined,
    /// One dispatcher less, by SIGTERM.
    Left,
}

impl Cause {
    /// Whether a repetition is allowed after it.
    pub(crate) fn may_repeat(self) -> bool {
        match self {
            Self::Killed | Self::StoodStill | Self::BrokerKilled | Self::EndedByItself => true,
            Self::Stopped | Self::Joined | Self::Left => false,
        }
    }
}

/// Something that was done, until the system had everything back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incident {
    pub(crate) cause: Cause,
    pub(crate) from: Instant,
    pub(crate) to: Instant,
}

/// The dispatchers of a stack, two at least, and what was done to them.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) others: Vec<Service>,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) luck: Luck,
    start: Instant,
}

impl World {
    pub(crate) async fn new(stack: Stack, luck: Luck) -> Self {
        let second = stack.start_another(Binary::Dispatcher).await;
        Self {
            stack,
            others: vec![second],
            incidents: Vec::new(),
            luck,
            start: Instant::now(),
        }
    }

    /// One of everything, in an order of chance, at moments of chance, again
    /// and again for this long.
    pub(crate) async fn shake(&mut self, broker: &mut Broker, time: Duration) {
        use Cause::{BrokerKilled, Joined, Killed, StoodStill, Stopped};
        let mut deck = Vec::new();
        while self.start.elapsed() < time {
            if deck.is_empty() {
                deck = vec![
                    Killed,
                    Killed,
                    Stopped,
                    StoodStill,
                    Joined,
                    Joined,
                    BrokerKilled,
                ];
            }
            let card = deck.swap_remove(self.luck.index(deck.len()));
            self.pause(1_000, 3_000).await;
            self.revive().await;
            match card {
                Killed => self.kill().await,
                StoodStill => self.stand_still().await,
                BrokerKilled => self.kill_broker(broker).await,
                Stopped => self.stop().await,
                Joined | Cause::Left | Cause::EndedByItself => self.join_or_leave().await,
            }
        }
        self.revive().await;
    }

    async fn kill(&mut self) {
        let from = Instant::now();
        let late = self.luck.below(2) == 0;
        self.any().kill();
        self.note(Cause::Killed, from, from);
        if late {
            self.pause(2_000, 8_000).await;
        }
        for member in self.members() {
            if !member.is_running() {
                member.restart().await;
            }
        }
    }

    async fn stand_still(&mut self) {
        let from = Instant::now();
        // The session ends after 6 s.
        let time = Duration::from_millis(7_000 + self.luck.below(2_000));
        let member = self.any();
        member.signal(Signal::Stop);
        tokio::time::sleep(time).await;
        member.signal(Signal::Cont);
        self.note(Cause::StoodStill, from, Instant::now());
    }

    async fn kill_broker(&mut self, broker: &mut Broker) {
        let from = Instant::now();
        broker.kill().await;
        self.pause(0, 3_000).await;
        broker.start().await;
        self.note(Cause::BrokerKilled, from, Instant::now() + RECONNECTED);
    }

    pub(crate) async fn stop(&mut self) {
        let from = Instant::now();
        let member = self.any();
        end_cleanly(member).await;
        member.restart().await;
        self.note(Cause::Stopped, from, Instant::now());
    }

    pub(crate) async fn join_or_leave(&mut self) {
        let from = Instant::now();
        if self.others.len() > 1 {
            let mut last = self.others.remove(1);
            end_cleanly(&mut last).await;
            self.note(Cause::Left, from, Instant::now());
        } else {
            let third = self.stack.start_another(Binary::Dispatcher).await;
            self.others.push(third);
            self.note(Cause::Joined, from, Instant::now());
        }
    }

    /// Starts again what has ended by itself.
    async fn revive(&mut self) {
        let mut ended = 0;
        let since = self.incidents.last().map_or(self.start, |last| last.from);
        for member in self.members() {
            if !member.is_running() {
                ended += 1;
                member.restart().await;
            }
        }
        for _ in 0..ended {
            self.note(Cause::EndedByItself, since, Instant::now());
        }
    }

    async fn pause(&mut self, least_ms: u64, more_ms: u64) {
        let time = Duration::from_millis(least_ms + self.luck.below(more_ms));
        tokio::time::sleep(time).await;
    }

    fn note(&mut self, cause: Cause, from: Instant, to: Instant) {
        let (at, lasted) = (from - self.start, to - from);
        eprintln!("{at:>8.1?} {cause:?}, for {lasted:.1?}");
        self.incidents.push(Incident { cause, from, to });
    }

    fn any(&mut self) -> &mut Service {
        let index = self.luck.index(1 + self.others.len());
        self.members()
            .nth(index)
            .expect("the index is below their number")
    }

    pub(crate) fn members(&mut self) -> impl Iterator<Item = &mut Service> {
        std::iter::once(&mut self.stack.dispatcher).chain(&mut self.others)
    }
}

async fn end_cleanly(member: &mut Service) {
    member.signal(Signal::Term);
    let status = member.wait_exit(SOON).await;
    assert!(status.success(), "{status}: {}", member.log());
}
