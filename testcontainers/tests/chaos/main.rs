//! Everything breaks, again and again, on a real Kafka: nothing is lost,
//! nothing comes early, and little comes twice.
//!
//! `CHAOS_SEED` repeats a run's decisions (not its timing), `CHAOS_SECONDS`
//! makes it longer.

mod findings;
mod incidents;
mod load;
mod luck;

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use e2e::{Answer, Binary, Broker, Client, Receiver, Stack};
use reqwest::Method;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use findings::{SCHEDULE_TEXT, Why};
use incidents::World;
use load::Accepted;
use luck::Luck;

const SOON: Duration = Duration::from_secs(60);
/// From the end of all trouble: a retry waits 5 s at most, what was closed or
/// deferred meanwhile as long again.
const SETTLED: Duration = Duration::from_secs(120);
const RATING: &[&str] = &["rating_submitted"];
const PATHS: [&str; 4] = ["/hook-a", "/hook-b", "/hook-c", "/hook-d"];
/// Each goes to all of [`PATHS`].
const EVENTS_PER_SECOND: u32 = 150;

/// A stack with an endpoint for each of [`PATHS`] and a steady load.
struct Run {
    receiver: Receiver,
    world: World,
    /// Path -> endpoint id.
    endpoints: HashMap<&'static str, String>,
    load: JoinSet<Vec<Accepted>>,
    stop: CancellationToken,
}

impl Run {
    async fn start(seed: u64, broker: &Broker) -> Self {
        let receiver = Receiver::start();
        receiver.answer(
            "/",
            Answer::choose(move |request| load::mood(seed, request)),
        );
        let stack = Stack::builder().broker(broker).schedule(&SCHEDULE_TEXT);
        let stack = stack.start().await;
        let mut endpoints = HashMap::new();
        for path in PATHS {
            let url = receiver.url(path);
            let endpoint = stack.client.create_endpoint(&url, RATING).await;
            endpoints.insert(path, endpoint.id);
        }
        let world = World::new(stack, Luck::new(seed)).await;
        let (stop, mut load) = (CancellationToken::new(), JoinSet::new());
        let client = world.stack.client.clone();
        load.spawn(load::offer(client, seed, EVENTS_PER_SECOND, stop.clone()));
        receiver.wait_for_events("/", 100, SOON).await;
        Self {
            receiver,
            world,
            endpoints,
            load,
            stop,
        }
    }

    /// Ends the load and all bad moods.
    async fn calm(&mut self) -> Vec<Accepted> {
        self.stop.cancel();
        let accepted = self.load.join_next().await;
        let accepted = accepted.expect("there is one load");
        self.receiver.answer("/", Answer::Status(load::DELIVERED));
        accepted.expect("the load does not panic")
    }

    /// Waits until each event was delivered to each endpoint or is in the
    /// failed list; gives what did not, and how many failed.
    async fn settle(&self, accepted: &[Accepted]) -> (Vec<(&'static str, String)>, usize) {
        let mut missing: Vec<_> = PATHS
            .into_iter()
            .flat_map(|path| accepted.iter().map(move |event| (path, event.id.clone())))
            .collect();
        let mut failed = BTreeSet::new();
        let start = Instant::now();
        let mut asked = start;
        while start.elapsed() < SETTLED && !missing.is_empty() {
            self.receiver.look(|log| {
                missing.retain(|(path, id)| {
                    !log.attempts(path, id)
                        .iter()
                        .any(|request| findings::is_delivered(request))
                });
            });
            missing
                .retain(|(path, id)| !failed.contains(&format!("{id}.{}", self.endpoints[path])));
            if !missing.is_empty() && asked.elapsed() > Duration::from_secs(1) {
                failed = failed_list(&self.world.stack.client).await;
                asked = Instant::now();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        eprintln!(
            "settled {:.1?} after the end of all trouble",
            start.elapsed()
        );
        let failed = failed_list(&self.world.stack.client).await;
        (missing, failed.len())
    }

    /// Waits until every record is complete, so that nothing comes any more.
    async fn wait_until_all_is_complete(&self, broker: &Broker) {
        let stack = &self.world.stack;
        let retry = broker.topics(&stack.name("webhooks.retry.")).await;
        let mut topics = vec![stack.name("feedback.events"), stack.name("webhooks.ready")];
        topics.extend(retry);
        let group = stack.name("dispatcher");
        for topic in topics {
            broker.wait_until_committed(&group, &topic, SOON).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_breaks_nothing_is_lost_nothing_is_early_and_little_is_repeated() {
    let seed = number_from("CHAOS_SEED")
        .unwrap_or_else(|| u64::from_str_radix(&e2e::random_hex(15), 16).expect("it is hex"));
    let seconds = number_from("CHAOS_SECONDS").unwrap_or(60);
    eprintln!("CHAOS_SEED={seed} CHAOS_SECONDS={seconds}");
    let _alone = e2e::alone().await;
    let mut broker = Broker::private().await;
    let mut run = Run::start(seed, &broker).await;
    run.world
        .shake(&mut broker, Duration::from_secs(seconds))
        .await;
    let accepted = run.calm().await;
    let (missing, failed) = run.settle(&accepted).await;
    let copies = copies(&broker, &run.world.stack).await;
    for event in &accepted {
        let copies = copies.get(&event.id).copied().unwrap_or_default();
        let (id, posts) = (&event.id, event.posts);
        assert!(
            (1..=posts).contains(&copies),
            "{id} was posted {posts} times and stands {copies} times on the topic"
        );
    }
    let deliveries = run.receiver.look(findings::deliveries);
    let early: Vec<_> = deliveries.iter().flat_map(findings::early).collect();
    let counts = findings::count(&deliveries, &copies, &run.world.incidents);
    let requests: usize = deliveries.iter().map(Vec::len).sum();
    eprintln!(
        "{} events accepted, {requests} requests, {failed} in the failed list, {} lost, {} early\n{}",
        accepted.len(),
        missing.len(),
        early.len(),
        findings::table(&counts)
    );
    assert!(missing.is_empty(), "CHAOS_SEED={seed}: lost {missing:?}");
    assert!(early.is_empty(), "CHAOS_SEED={seed}: early {early:#?}");
    for (why, count) in &counts {
        let allowed = match why {
            Why::Incident(_) => count.bound,
            Why::PostedAgain | Why::Closed => usize::MAX,
            Why::Unknown => 0,
        };
        assert!(
            count.repeats <= allowed && count.follow_ups <= count.repeats,
            "CHAOS_SEED={seed}: {why:?} {count:#?}"
        );
    }
    run.wait_until_all_is_complete(&broker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stops_and_joins_alone_repeat_nothing() {
    let _alone = e2e::alone().await;
    let broker = Broker::shared().await;
    let mut run = Run::start(1, broker).await;
    run.world.join_or_leave().await;
    run.world.stop().await;
    run.world.stop().await;
    run.world.join_or_leave().await;
    run.world.stop().await;
    let accepted = run.calm().await;
    let (missing, _) = run.settle(&accepted).await;
    assert!(missing.is_empty(), "lost {missing:?}");
    let copies = copies(broker, &run.world.stack).await;
    let deliveries = run.receiver.look(findings::deliveries);
    let early: Vec<_> = deliveries.iter().flat_map(findings::early).collect();
    assert!(early.is_empty(), "early {early:#?}");
    let counts = findings::count(&deliveries, &copies, &run.world.incidents);
    eprintln!("{}", findings::table(&counts));
    for (why, count) in &counts {
        let allowed = *why == Why::Closed || count.repeats == 0;
        assert!(allowed, "{why:?} {count:#?}");
    }
    run.wait_until_all_is_complete(broker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_partitions_of_a_killed_dispatcher_are_delivered_again_within_seconds() {
    /// The promise is 8 s, a session of 6 s and a rebalance; the rest is for
    /// a machine that does much else.
    const LIMIT: Duration = Duration::from_secs(12);
    let _alone = e2e::alone().await;
    let broker = Broker::shared().await;
    let mut run = Run::start(2, broker).await;
    run.receiver.answer("/", Answer::Status(load::DELIVERED));
    let second = &run.world.others[0];
    e2e::until("both have partitions of events", SOON, async || {
        let of_second = partitions(second).await;
        (of_second == partitions(&run.world.stack.dispatcher).await).then_some(())
    })
    .await;
    let killed = Instant::now();
    run.world.others[0].kill();
    tokio::time::sleep(LIMIT).await;
    run.calm().await;

    // When the first event of each partition came that was posted after the kill.
    let events = broker.read(&run.world.stack.name("feedback.events")).await;
    let partition: HashMap<String, i32> = events
        .iter()
        .map(|record| (event_id(record), record.partition))
        .collect();
    let killed_at = std::time::SystemTime::now() - killed.elapsed();
    let later: BTreeSet<String> = events
        .iter()
        .filter(|record| {
            let written = Duration::from_millis(record.timestamp.unsigned_abs());
            std::time::UNIX_EPOCH + written > killed_at
        })
        .map(event_id)
        .collect();
    let mut first: HashMap<i32, Duration> = HashMap::new();
    run.receiver.look(|log| {
        for request in log
            .all()
            .iter()
            .filter(|it| later.contains(it.webhook_id()))
        {
            first
                .entry(partition[request.webhook_id()])
                .or_insert(request.instant - killed);
        }
    });
    let mut again: Vec<_> = first.values().copied().collect();
    again.sort_unstable();
    eprintln!("after the kill, events posted then came, by partition: {again:.2?}");
    assert_eq!(
        again.len(),
        6,
        "some partitions are not delivered: {first:?}"
    );
    let longest = again[5];
    assert!(
        longest > Duration::from_secs(1),
        "nothing was taken from it"
    );
    assert!(longest < LIMIT, "{longest:?}");
}

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|error| panic!("{variable}={text}: {error}")))
}

/// How often each event stands on the topic of events.
async fn copies(broker: &Broker, stack: &Stack) -> HashMap<String, usize> {
    let mut copies = HashMap::new();
    for record in broker.read(&stack.name("feedback.events")).await {
        *copies.entry(event_id(&record)).or_default() += 1;
    }
    copies
}

fn event_id(record: &e2e::kafka::Record) -> String {
    let json = record.json();
    let id = json["id"].as_str();
    id.expect("an event has an id").to_owned()
}

async fn partitions(member: &e2e::Service) -> Option<f64> {
    member.metric("feedbackpro_dispatcher_partitions").await
}

/// The ids of all deliveries in the failed list, or of none while it is not
/// there.
async fn failed_list(client: &Client) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/webhooks/failed?limit=500{cursor}");
        let reply = client.call(Binary::DlqConsumer, Method::GET, &path).await;
        if reply.status != 200 {
            return ids;
        }
        let page = reply.json();
        let items = page["items"].as_array().expect("items is a list");
        let id = |item: &serde_json::Value| item["id"].as_str().map(str::to_owned);
        ids.extend(items.iter().filter_map(id));
        if items.len() < 500 {
            return ids;
        }
        let next = page["next_cursor"].as_str().expect("a page has a cursor");
        cursor = format!("&cursor={next}");
    }
}
