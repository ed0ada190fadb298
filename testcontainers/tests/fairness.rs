//! One endpoint that hangs, fails or is slow costs the others nothing, and
//! each gets what it can take.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use e2e::settings::tokens;
use e2e::{Answer, Binary, Broker, Client, Receiver, Service, Stack, events};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const SOON: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(180);
const RATING: &[&str] = &["rating_submitted"];
/// What an event may take at an endpoint that nothing ails: a hundred times
/// what it does take, and a fifth of an attempt at one that hangs.
const PROMPT: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_that_hang_fail_or_are_slow_do_not_hold_the_good_ones_up() {
    const EVENTS: usize = 2_000;
    const PER_SECOND: u32 = 200;
    const GOOD: usize = 7;
    let _alone = e2e::alone().await;
    let receiver = Receiver::start();
    receiver.answer("/hangs", Answer::Hang);
    receiver.answer("/fails", Answer::Status(500));
    receiver.answer("/slow", Answer::after(Duration::from_millis(500), 200));
    let stack = Stack::builder().start().await;
    for number in 0..GOOD {
        let url = receiver.url(&format!("/good/{number}"));
        stack.client.create_endpoint(&url, RATING).await;
    }

    let mut deliveries = 0;
    let mut measure = async || {
        let posted = offer(&stack.client, rating, EVENTS, PER_SECOND).await;
        deliveries += GOOD * EVENTS;
        receiver.wait_for_events("/good/", deliveries, LONG).await;
        Latencies::of(&receiver, "/good/", &posted)
    };
    let without = measure().await;
    for path in ["/hangs", "/fails", "/slow"] {
        stack
            .client
            .create_endpoint(&receiver.url(path), RATING)
            .await;
    }
    let with = measure().await;
    eprintln!("from the post to the arrival: without the three {without}, with them {with}");
    for path in ["/hangs", "/fails", "/slow"] {
        assert!(
            receiver.look(|log| log.events(path)) > 0,
            "{path} was never tried"
        );
    }
    assert_eq!(receiver.look(|log| log.repeats("/good/")), 0);
    assert!(with.p(99) < PROMPT, "without {without}, with {with}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_for_a_slow_endpoint_is_set_aside_once_and_holds_nothing_up() {
    const EVENTS: usize = 20_000;
    let _alone = e2e::alone().await;
    let receiver = Receiver::start();
    receiver.answer("/slow", Answer::after(Duration::from_millis(100), 200));
    let stack = Stack::builder().start().await;
    let (client, url) = (&stack.client, |path: &str| receiver.url(path));
    client.create_endpoint(&url("/slow"), RATING).await;
    client.create_endpoint(&url("/fast"), RATING).await;
    client
        .create_endpoint(&url("/other"), &["nps_calculated"])
        .await;

    client.post_ratings(EVENTS).await;
    let score = |_| events::nps_calculated("Promoter");
    let posted = offer(client, score, 500, 50).await;
    receiver.wait_for_events("/other", 500, SOON).await;
    let meanwhile = Latencies::of(&receiver, "/other", &posted);
    receiver.wait_for_events("/fast", EVENTS, LONG).await;
    let slow = receiver.look(|log| log.events("/slow"));
    eprintln!("another endpoint's events meanwhile: {meanwhile}; the slow one had {slow}");
    assert!(slow < EVENTS, "the fast endpoint waited for the slow one");
    assert!(meanwhile.p(99) < PROMPT, "{meanwhile}");

    receiver.wait_for_events("/slow", EVENTS, LONG).await;
    assert_eq!(receiver.look(|log| log.repeats("")), 0);
    let mut written: HashMap<(String, String), usize> = HashMap::new();
    let broker = Broker::shared().await;
    for record in broker.read(&stack.name("webhooks.ready")).await {
        let id = record.json()["id"].as_str().map(str::to_owned);
        let id = id.expect("an event has an id");
        *written.entry((record.key_text(), id)).or_default() += 1;
    }
    eprintln!("{} deliveries were set aside", written.len());
    assert!(!written.is_empty());
    let most = written.values().max();
    assert_eq!(most, Some(&1), "a delivery was set aside again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_quick_endpoint_has_no_room_for_in_a_standstill_is_not_set_aside() {
    const STANDSTILL: Duration = Duration::from_millis(100);
    /// More than twice the limit of 64, beside those that are under way.
    const EVENTS: usize = 300;
    let _alone = e2e::alone().await;
    let receiver = Receiver::start();
    let stack = Stack::builder().start().await;
    let client = &stack.client;
    client.create_endpoint(&receiver.url("/hook"), RATING).await;
    client.post_ratings(EVENTS).await;
    receiver.wait_for_events("/hook", EVENTS, SOON).await;
    let set_aside = async || {
        let broker = Broker::shared().await;
        broker.read(&stack.name("webhooks.ready")).await.len()
    };
    let before = set_aside().await;

    receiver.answer("/hook", Answer::after(STANDSTILL, 200));
    client.post_ratings(EVENTS).await;
    receiver.wait_for_events("/hook", 2 * EVENTS, SOON).await;
    assert_eq!(set_aside().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_says_429_gets_everything_at_the_pace_that_it_takes() {
    const EVENTS: usize = 3_000;
    /// 20 s of load, and 60 s at 50/s: what is left is for what it refuses.
    const LIMIT: Duration = Duration::from_secs(90);
    let _alone = e2e::alone().await;
    let receiver = Receiver::start();
    receiver.answer("/hook", Answer::PerSecond(50));
    let stack = Stack::builder().schedule(&["1s", "2s", "3s", "4s", "5s"]);
    let stack = stack.start().await;
    let url = receiver.url("/hook");
    stack.client.create_endpoint(&url, RATING).await;
    let start = Instant::now();
    offer(&stack.client, rating, EVENTS, 150).await;
    let left = LIMIT.saturating_sub(start.elapsed());
    let delivered = receiver.wait_for("all of them are answered 200", left, |log| {
        let all = log.all().iter();
        let delivered = all.filter(|request| request.status() == Some(200)).count();
        (delivered >= EVENTS).then_some(delivered)
    });
    let delivered = delivered.await;
    let (took, requests) = (start.elapsed(), receiver.look(|log| log.total()));
    eprintln!("all were delivered in {took:.1?}, by {requests} requests");
    assert_eq!(delivered, EVENTS, "some were delivered twice");
    let failed = stack.client.failed("limit=100").await.items;
    assert!(failed.is_empty(), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoints_own_rate_is_kept_within_five_percent() {
    const RATE: usize = 50;
    /// The burst of the first moment does not count.
    const FROM: Duration = Duration::from_secs(1);
    const TIME: Duration = Duration::from_secs(10);
    let _alone = e2e::alone().await;
    let receiver = Receiver::start();
    let stack = Stack::builder().start().await;
    let body = json!({"url": receiver.url("/hook"), "events": RATING, "max_per_second": RATE});
    let reply = stack
        .client
        .call_json(Binary::Console, Method::POST, "/api/v1/endpoints", &body)
        .await;
    drop(reply.expect(201));
    stack.client.post_ratings(15 * RATE).await;
    let first = receiver.wait_for_count("/hook", 1, SOON).await[0].instant;
    let (from, to) = (first + FROM, first + FROM + TIME);
    let what = "requests over the whole time";
    let count = receiver
        .wait_for(what, SOON, |log| {
            let all = log.all();
            let over = all.last().is_some_and(|last| last.instant >= to);
            let within = all.iter().map(|request| request.instant);
            let within = within.filter(|instant| (from..to).contains(instant));
            over.then(|| within.count())
        })
        .await;
    let expected = RATE * 10;
    eprintln!("{count} in 10 s, at {RATE} a second");
    assert!(count.abs_diff(expected) <= expected / 20, "{count}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_reaches_five_thousand_endpoints_in_little_memory() {
    const ENDPOINTS: usize = 5_000;
    const MOST_KIB: usize = 256 * 1024;
    let _alone = e2e::alone().await;
    let receiver = Receiver::start();
    let mut stack = Stack::builder().start().await;
    create_endpoints(&stack.client, &receiver, "/many", ENDPOINTS).await;
    let start = Instant::now();
    stack.client.post_event(&rating(0)).await;
    receiver.wait_for_events("/many/", ENDPOINTS, LONG).await;
    let (took, peak) = (start.elapsed(), peak_memory_kib(&stack.dispatcher));
    eprintln!("it reached {ENDPOINTS} endpoints in {took:.1?}; at most {peak} KiB");
    assert!(peak < MOST_KIB, "{peak} KiB");
    assert_eq!(receiver.look(|log| log.repeats("")), 0);
    // What is not committed yet would be sent again too.
    let (group, topic) = (stack.name("dispatcher"), stack.name("feedback.events"));
    let broker = Broker::shared().await;
    broker.wait_until_committed(&group, &topic, SOON).await;
    let ready = stack.name("webhooks.ready");
    broker.wait_until_committed(&group, &ready, SOON).await;

    // Killed in the middle of the next one.
    let second = stack.client.post_event(&rating(1)).await;
    let arrived = |log: &e2e::receiver::Log| {
        let all = log.all().iter();
        let of_second = all.filter(|request| request.webhook_id() == second);
        of_second.map(|request| request.instant).collect::<Vec<_>>()
    };
    receiver
        .wait_for("a third of the second event", LONG, |log| {
            (arrived(log).len() > ENDPOINTS / 3).then_some(())
        })
        .await;
    stack.dispatcher.kill();
    let killed = Instant::now();
    let before = receiver.look(arrived);
    stack.dispatcher.restart().await;
    receiver
        .wait_for("the second event at each", LONG, |log| {
            (log.events("/many/") >= 2 * ENDPOINTS).then_some(())
        })
        .await;
    let repeats = receiver.look(|log| log.repeats(""));
    let took = (killed - before[0]).as_micros();
    let per_quarter = before.len() as u128 * 250_000 / took;
    // An account has an eighth of 8 192 attempts in flight.
    let bound = 1_024 + usize::try_from(per_quarter).expect("it is a count") + 1;
    let (came, peak) = (before.len(), peak_memory_kib(&stack.dispatcher));
    eprintln!(
        "killed after {came}, {per_quarter} a quarter of a second: {repeats} again, allowed {bound}; {peak} KiB"
    );
    assert!(repeats <= bound, "{repeats} repeats, allowed are {bound}");
    assert!(peak < MOST_KIB, "{peak} KiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_thousand_endpoints_hang_does_not_hold_another_account_up() {
    const HANGING: usize = 1_000;
    const EVENTS: usize = 1_000;
    let _alone = e2e::alone().await;
    let receiver = Receiver::start();
    receiver.answer("/hangs", Answer::Hang);
    let stack = Stack::builder().start().await;
    let other = stack.client.with_token(tokens::OTHER);
    other.create_endpoint(&receiver.url("/good"), RATING).await;
    create_endpoints(&stack.client, &receiver, "/hangs", HANGING).await;
    stack.client.post_ratings(20).await;
    receiver.wait_for_events("/hangs/", HANGING, SOON).await;
    let posted = offer(&other, rating, EVENTS, 100).await;
    receiver.wait_for_events("/good", EVENTS, SOON).await;
    let latencies = Latencies::of(&receiver, "/good", &posted);
    eprintln!("from the post to the arrival: {latencies}");
    assert!(latencies.p(99) < PROMPT, "{latencies}");
}

/// The times from the beginning of a post to the arrival, in order.
struct Latencies(Vec<Duration>);

impl Latencies {
    /// Of the events that `offer` has posted, at paths that begin so.
    fn of(receiver: &Receiver, prefix: &str, posted: &HashMap<String, Instant>) -> Self {
        let requests = receiver.look(|log| log.to(prefix));
        let since = |request: &std::sync::Arc<e2e::receiver::Request>| {
            Some(request.instant - *posted.get(request.webhook_id())?)
        };
        let mut times: Vec<_> = requests.iter().filter_map(since).collect();
        assert!(times.len() >= posted.len(), "some have not come");
        times.sort_unstable();
        Self(times)
    }

    /// So many percent of them are not longer.
    fn p(&self, percent: usize) -> Duration {
        self.0[(self.0.len() - 1) * percent / 100]
    }
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (p50, p99, most) = (self.p(50), self.p(99), self.p(100));
        write!(formatter, "p50 {p50:.1?}, p99 {p99:.1?}, max {most:.1?}")
    }
}

/// Posts so many events one by one at this rate, whatever their answers take;
/// for each id the moment before its post.
async fn offer(
    client: &Client,
    event: impl Fn(usize) -> Value,
    count: usize,
    per_second: u32,
) -> HashMap<String, Instant> {
    let mut posts = JoinSet::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
    for number in 0..count {
        ticks.tick().await;
        let (client, event) = (client.clone(), event(number));
        posts.spawn(async move {
            let at = Instant::now();
            (client.post_event(&event).await, at)
        });
    }
    posts.join_all().await.into_iter().collect()
}

fn rating(number: usize) -> Value {
    let mut event = events::rating_submitted(5);
    event["data"]["customer_id"] = json!(format!("cus_{number}"));
    event
}

/// Creates endpoints at `<prefix>/<number>`, a hundred at once.
async fn create_endpoints(client: &Client, receiver: &Receiver, prefix: &str, count: usize) {
    const AT_ONCE: usize = 100;
    let mut calls = JoinSet::new();
    for number in 0..count {
        if calls.len() >= AT_ONCE {
            let created = calls.join_next().await;
            created.expect("some are open").expect("it is created");
        }
        let (client, url) = (client.clone(), receiver.url(&format!("{prefix}/{number}")));
        calls.spawn(async move { drop(client.create_endpoint(&url, RATING).await) });
    }
    calls.join_all().await;
}

/// The most resident memory that the process ever had.
fn peak_memory_kib(service: &Service) -> usize {
    let path = format!("/proc/{}/status", service.pid());
    let status = std::fs::read_to_string(path).expect("the process runs, on Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let text = line.expect("Linux tells the peak").trim_end_matches(" kB");
    text.trim().parse().expect("it is a number")
}
