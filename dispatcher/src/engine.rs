//! The engine: everything that happens to records, on one thread. Lanes, gates
//! and slots share its state without locks; consumers, the producer and the
//! endpoint table have threads of their own and talk to it by channels.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    rc::{Rc, Weak},
    sync::Arc,
    time::Duration,
};

use delivery::Client;
use domain::{Schedule, Timestamp, Topics};
use kafka::{Connection, Publisher, Table, TableEnd};
use rdkafka::consumer::{CommitMode, Consumer};
use service::{
    health::{Condition, Health},
    traces::Tracer,
};
use tokio::{
    sync::{
        OnceCell, Semaphore,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    },
    time::{Interval, MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    attempt_log::AttemptLog,
    endpoints::EndpointTable,
    gate::Gates,
    group::{Assigned, GroupEvent, ToCommit, commit_list},
    hand_on::{self, Leaving},
    lane::{Lane, LaneKind},
    lanes::Queue,
    member::{JoinError, Member},
    metrics::Metrics,
    pulse::Pulse,
    repeated::Repeated,
    saturation::{self, Saturation},
    second_look::SecondLook,
};

/// How long in-flight work may take when partitions go: an attempt takes 5 s at
/// most, the rest is for writing what follows from it.
pub(crate) const DRAIN: Duration = Duration::from_secs(8);
/// How often offsets are committed. The promise is a quarter of a second.
const COMMIT_EVERY: Duration = Duration::from_millis(200);
/// How often gates, connections and gauges are looked after, in commits.
const UPKEEP_EVERY: u32 = 5;

/// What lanes, gates and slots share.
pub(crate) struct Engine {
    pub(crate) schedule: Schedule,
    pub(crate) topics: Topics,
    pub(crate) table: Arc<EndpointTable>,
    pub(crate) gates: Gates,
    pub(crate) client: Client,
    pub(crate) publisher: Publisher,
    pub(crate) attempt_log: AttemptLog,
    pub(crate) tracer: Tracer,
    pub(crate) pulse: Pulse,
    pub(crate) metrics: Metrics,
    pub(crate) repeated: RefCell<Repeated>,
    pub(crate) second_look: SecondLook,
    pub(crate) table_end: TableEnd,
    /// How many deliveries may be on their way to `webhooks.ready` because they
    /// had no room: an event for many endpoints makes one for each.
    pub(crate) to_ready: Arc<Semaphore>,
    /// What waits for its turn to be handed on.
    pub(crate) to_hand_on: RefCell<VecDeque<Leaving>>,
    /// Every task of the engine, so that somebody waits for each.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when timers need not be waited for any more.
    pub(crate) stopping: CancellationToken,
}

/// Why the engine ended before it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A consumer group cannot be joined.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The endpoint table is not read any more; the log says why.
    #[error("webhooks.endpoints is not read any more: the log says why")]
    Table,
    /// Going on could lose or repeat records; a new process can.
    #[error("the dispatcher cannot go on: {0}")]
    Fatal(String),
}

/// The engine's membership in the consumer group, and its lanes.
pub(crate) struct Conductor {
    engine: Rc<Engine>,
    connection: Connection,
    member: Option<Member>,
    lanes: BTreeMap<(String, i32), Rc<Lane>>,
    /// Lanes that go, until they are drained.
    going: Vec<Weak<Lane>>,
    joined: Condition,
    to_engine: UnboundedSender<GroupEvent>,
    events: UnboundedReceiver<GroupEvent>,
}

impl Conductor {
    pub(crate) fn new(engine: Engine, connection: Connection, health: &Health) -> Self {
        let (to_engine, events) = unbounded_channel();
        Self {
            engine: Rc::new(engine),
            connection,
            member: None,
            lanes: BTreeMap::new(),
            going: Vec::new(),
            joined: health.condition("joined the consumer group"),
            to_engine,
            events,
        }
    }

    /// Runs until `shutdown`, then drains. Call it on a `LocalRuntime`.
    pub(crate) async fn run(
        mut self,
        table: &Table,
        shutdown: CancellationToken,
    ) -> Result<(), EngineError> {
        self.join()?;
        let looking = Rc::clone(&self.engine).look_again();
        self.engine.tasks.spawn_local(looking);
        let mut saturation = Saturation::new();
        let mut measure = every(saturation::EVERY);
        let mut tick = every(COMMIT_EVERY);
        let mut ticks = 0_u32;
        let mut leaving = false;
        let ended = loop {
            tokio::select! {
                event = self.events.recv() => match event {
                    Some(GroupEvent::Fatal(why)) => break Err(EngineError::Fatal(why)),
                    Some(event) => if let Err(error) = self.take(event, leaving) {
                        break Err(error);
                    },
                    None => break Ok(()),
                },
                () = table.ended() => break Err(EngineError::Table),
                why = self.engine.publisher.failed() => break Err(EngineError::Fatal(why)),
                _ = tick.tick() => {
                    if let Err(error) = self.beat() {
                        break Err(error);
                    }
                    ticks = ticks.wrapping_add(1);
                    if ticks.is_multiple_of(UPKEEP_EVERY) {
                        self.upkeep();
                    }
                }
                _ = measure.tick() => {
                    let (passed, saturated) = saturation.measure();
                    self.engine.gates.measure(passed, saturated);
                }
                () = shutdown.cancelled(), if !leaving => {
                    leaving = true;
                    tracing::info!("stopping: what is in flight is finished, nothing new is begun");
                    self.leave();
                }
            }
            if leaving && self.member.is_none() {
                break Ok(());
            }
        };
        self.finish().await;
        ended
    }

    fn join(&mut self) -> Result<(), EngineError> {
        let topics = &self.engine.topics;
        let member = Member::join(&self.connection, topics, &self.to_engine)?;
        self.member = Some(member);
        Ok(())
    }

    fn leave(&self) {
        if let Some(member) = &self.member {
            member.leave();
        }
    }

    fn take(&mut self, event: GroupEvent, leaving: bool) -> Result<(), EngineError> {
        match event {
            GroupEvent::Assigned(assigned) => {
                self.count("assigned", assigned.len());
                let current = Rc::default();
                for partition in assigned {
                    self.open(partition, &current);
                }
                // Those sent while the group was in motion may be lost.
                self.commit_again();
                self.joined.set(true);
            }
            GroupEvent::Revoked {
                partitions,
                lost,
                answer,
            } => {
                let kind = if lost { "lost" } else { "revoked" };
                self.count(kind, partitions.len());
                let lanes: Vec<_> = partitions
                    .into_iter()
                    .filter_map(|partition| self.lanes.remove(&partition))
                    .collect();
                self.going.retain(|lane| lane.strong_count() > 0);
                self.going.extend(lanes.iter().map(Rc::downgrade));
                let engine = Rc::clone(&self.engine);
                self.engine.tasks.spawn_local(async move {
                    let commits = engine.drain(lanes, lost).await;
                    // Where the callback no longer waits, its next owner reads
                    // these records again.
                    if answer.send(commits).is_err() {
                        tracing::warn!("the drain took longer than its callback waited");
                    }
                });
            }
            GroupEvent::Left => {
                self.joined.set(false);
                if let Some(member) = self.member.take() {
                    member.close();
                }
                if !leaving {
                    self.join()?;
                }
            }
            GroupEvent::Fatal(why) => return Err(EngineError::Fatal(why)),
        }
        Ok(())
    }

    /// `current` is whether the endpoint table is known to be, asked once for all
    /// partitions that come together.
    fn open(&mut self, assigned: Assigned, current: &Rc<OnceCell<bool>>) {
        let Assigned {
            topic,
            partition,
            committed,
            end,
            queue,
            nonempty,
        } = assigned;
        let topics = &self.engine.topics;
        let kind = if topic == topics.events {
            LaneKind::Source
        } else {
            topics
                .tier_of(&topic)
                .map_or(LaneKind::Paced, LaneKind::Delay)
        };
        let committed = committed
            .as_ref()
            .map(|(offset, metadata)| (*offset, metadata.as_str()));
        tracing::info!(
            topic,
            partition,
            offset = committed.map(|(offset, _)| offset),
            "a partition was assigned"
        );
        let lane = Lane::new(kind, &topic, partition, committed);
        self.lanes.insert((topic, partition), Rc::clone(&lane));
        let (engine, current) = (Rc::clone(&self.engine), Rc::clone(current));
        self.engine.tasks.spawn_local(async move {
            let queue = Queue {
                records: queue,
                nonempty,
            };
            if let Some(end) = end
                && *current.get_or_init(|| engine.table_is_current()).await
            {
                lane.older_than_table.set(end);
            }
            engine.read(lane, queue).await;
        });
    }

    /// Commits, and gives everything up where the process stood still.
    fn beat(&mut self) -> Result<(), EngineError> {
        if !self.engine.pulse.is_steady(std::time::Instant::now()) {
            self.give_up();
            return Ok(());
        }
        self.engine.place_stuck();
        let Some(consumer) = self.member.as_ref().and_then(|it| it.consumer.upgrade()) else {
            return Ok(());
        };
        let commits: Vec<ToCommit> = self
            .lanes
            .values()
            .filter(|lane| lane.is_read())
            .filter_map(to_commit)
            .collect();
        if commits.is_empty() {
            return Ok(());
        }
        self.engine.metrics.commits.inc();
        commit_list(&commits)
            .and_then(|list| consumer.commit(&list, CommitMode::Async))
            .map_err(|error| EngineError::Fatal(format!("offsets cannot be committed: {error}")))
    }

    /// The session is over, and somebody else may have the partitions: nothing
    /// of them may be sent, written or committed here. The consumers are made
    /// anew.
    fn give_up(&mut self) {
        tracing::error!(
            "the process stood still for longer than its session: its partitions are given up and joined anew"
        );
        self.engine.metrics.stood_still.inc();
        for (_, lane) in std::mem::take(&mut self.lanes) {
            lane.abandon();
        }
        for lane in self.going.drain(..).filter_map(|lane| lane.upgrade()) {
            lane.abandon();
        }
        self.engine.let_stopped_go();
        self.leave();
        self.engine.pulse.restore();
    }

    /// librdkafka does not tell what became of a commit that nobody waits for,
    /// and a broker forgets offsets of topics that the group does not subscribe
    /// to: the next one says the same again.
    fn commit_again(&self) {
        for lane in self.lanes.values() {
            lane.commit_again();
        }
    }

    fn upkeep(&self) {
        self.commit_again();
        let engine = &self.engine;
        engine.client.close_idle();
        engine
            .gates
            .forget(|endpoint| engine.table.get(endpoint).is_some());
        let metrics = &engine.metrics;
        let gauge = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let (in_flight, waiting) = engine.gates.totals();
        metrics.in_flight.set(gauge(in_flight));
        metrics.waiting.set(gauge(waiting));
        metrics.endpoints.set(gauge(engine.table.len()));
        let now = Timestamp::now();
        let mut topics: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for lane in self.lanes.values() {
            let age = lane.oldest().map_or(0, |written| {
                let delay = match lane.kind {
                    LaneKind::Delay(tier) => tier.delay(),
                    LaneKind::Source | LaneKind::Paced => Duration::ZERO,
                };
                let since = Timestamp::from_millis(written) + delay;
                i64::try_from(now.since(since).as_secs()).unwrap_or(i64::MAX)
            });
            let (partitions, oldest) = topics.entry(lane.topic()).or_default();
            *partitions += 1;
            *oldest = age.max(*oldest);
        }
        metrics.partitions.reset();
        metrics.oldest_incomplete_seconds.reset();
        for (topic, (partitions, oldest)) in topics {
            let topic = &[topic];
            metrics.partitions.with_label_values(topic).set(partitions);
            metrics
                .oldest_incomplete_seconds
                .with_label_values(topic)
                .set(oldest);
        }
    }

    /// Waits for what is still under way, for a moment.
    async fn finish(self) {
        // A revocation that still waits for an answer goes on without one.
        drop(self.events);
        for lane in self.lanes.values() {
            lane.stop();
        }
        self.engine.let_stopped_go();
        self.engine.stopping.cancel();
        if let Some(member) = self.member {
            member.leave();
            member.close();
        }
        self.engine.tasks.close();
        if tokio::time::timeout(DRAIN, self.engine.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("work was still in flight at the end: it is repeated by the next owner");
        }
        hand_on::flush(&self.engine.publisher).await;
        self.engine.attempt_log.flush().await;
    }

    fn count(&self, kind: &'static str, partitions: usize) {
        self.engine
            .metrics
            .rebalances
            .of([kind])
            .inc_by(partitions as u64);
    }
}

impl Engine {
    /// Finishes what is in flight of lanes that go, and gives what to commit.
    /// Nothing of lanes that are lost.
    async fn drain(self: &Rc<Self>, lanes: Vec<Rc<Lane>>, lost: bool) -> Vec<ToCommit> {
        for lane in &lanes {
            if lost {
                lane.abandon();
            } else {
                lane.stop();
            }
        }
        self.let_stopped_go();
        if lost {
            return Vec::new();
        }
        let deadline = tokio::time::Instant::now() + DRAIN;
        let mut commits = Vec::with_capacity(lanes.len());
        for lane in lanes {
            let left = deadline - tokio::time::Instant::now();
            if !lane.drained(left).await {
                tracing::warn!(
                    topic = lane.topic(),
                    partition = lane.partition(),
                    records = lane.held(),
                    "a partition goes with records in flight: they are sent again by its next owner"
                );
            }
            lane.commit_again();
            commits.extend(to_commit(&lane));
            lane.abandon();
        }
        commits
    }
}

fn to_commit(lane: &Rc<Lane>) -> Option<ToCommit> {
    lane.commit().map(|commit| ToCommit {
        topic: lane.topic().to_owned(),
        partition: lane.partition(),
        commit,
    })
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
