//! Each binary is replaced under load, as the chart's Deployments do it: those that roll are
//! ready before the one before gets SIGTERM, dlq-consumer starts when the one before has ended.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use e2e::settings::tokens;
use e2e::{Answer, Binary, Broker, Receiver, Service, Settings, Signal, Stack, events};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

const SOON: Duration = Duration::from_secs(60);
/// On the failed list before anything is replaced.
const FAILED: usize = 300;
const EVENTS_PER_SECOND: u32 = 150;
const ENDPOINTS_PER_SECOND: u32 = 20;
/// Requests that still go to a process after its SIGTERM: whoever shares them out learns of it
/// later.
const LATE: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn every_binary_is_replaced_under_load_and_nothing_is_lost_refused_or_repeated() {
    let _alone = e2e::alone().await;
    let receiver = Receiver::start();
    receiver.answer("/hook", Answer::after(Duration::from_millis(20), 200));
    receiver.answer("/flaky", Answer::failing(1, 500));
    receiver.answer("/broken", Answer::failing(2, 500));
    let mut stack = Stack::builder().schedule(&["1s"]).start().await;
    let mut second = stack.start_another(Binary::Dispatcher).await;
    for (path, event) in [
        ("/hook", "rating_submitted"),
        ("/flaky", "rating_submitted"),
        ("/broken", "nps_calculated"),
    ] {
        let url = receiver.url(path);
        stack.client.create_endpoint(&url, &[event]).await;
    }
    let failed = fail(&stack).await;

    let producers = Known::new(&stack.producer);
    let consoles = Known::new(&stack.console);
    let lists = Known::new(&stack.dlq_consumer);
    let next = |binary| (binary, stack.settings(binary));
    let [producer, dispatcher, list, console] = Binary::ALL.map(next);
    let other = next(Binary::Dispatcher);
    let stop = CancellationToken::new();
    let upgrade = async {
        receiver.wait_for_events("/hook", 100, SOON).await;
        let dispatchers = async {
            let third = replace(&mut stack.dispatcher, dispatcher).await;
            (third, replace(&mut second, other).await)
        };
        let running = tokio::join!(
            roll(&mut stack.producer, producer, &producers),
            roll(&mut stack.console, console, &consoles),
            dispatchers,
            recreate(&mut stack.dlq_consumer, list, &lists, &receiver),
            send_again(&lists, &failed),
        );
        stop.cancel();
        running
    };
    let (accepted, made, running) = tokio::join!(
        post_events(&producers, &stop),
        make_endpoints(&consoles, receiver.url("/unused"), &stop),
        upgrade,
    );
    let (_producer, console, _dispatchers, _list, ()) = running;

    receiver
        .wait_for_events("/hook", accepted.len(), SOON)
        .await;
    receiver
        .wait_for_count("/flaky", 2 * accepted.len(), SOON)
        .await;
    receiver.wait_for_count("/broken", 3 * FAILED, SOON).await;
    let broker = Broker::shared().await;
    for topic in ["feedback.events", "webhooks.retry.1s"] {
        let (group, topic) = (stack.name("dispatcher"), stack.name(topic));
        broker.wait_until_committed(&group, &topic, SOON).await;
    }
    let all: Vec<_> = broker.read(&stack.name("feedback.events")).await;
    assert_eq!(all.len(), accepted.len() + FAILED, "events on the topic");
    receiver.look(|log| {
        for id in &accepted {
            let times = |path| log.attempts(path, id).len();
            assert_eq!([times("/hook"), times("/flaky")], [1, 2], "{id}");
        }
        for id in &failed {
            let event = id.split('.').next().expect("an event and an endpoint");
            assert_eq!(log.attempts("/broken", event).len(), 3, "{id}");
        }
    });
    for id in &made {
        let url = console.url(&format!("/api/v1/endpoints/{id}"));
        let found = send(Client::new().get(url)).await.expect("an answer");
        assert_eq!(found.status(), StatusCode::OK, "{id}");
    }
    let (events, endpoints) = (accepted.len(), made.len());
    eprintln!("{events} events, {endpoints} endpoints and {FAILED} re-sends meanwhile");
}

/// The processes of a binary that are sent requests.
#[derive(Debug, Clone)]
struct Known {
    urls: Arc<RwLock<Vec<String>>>,
    /// Answers whose connection ended with them: from a process that is to stop.
    leaving: Arc<AtomicUsize>,
}

impl Known {
    fn new(service: &Service) -> Self {
        Self {
            urls: Arc::new(RwLock::new(vec![service.url("")])),
            leaving: Arc::default(),
        }
    }

    fn set(&self, services: &[&Service]) {
        let urls = services.iter().map(|service| service.url("")).collect();
        *self.urls.write().expect("no one panics while writing") = urls;
    }

    fn url(&self, number: usize, path: &str) -> Option<String> {
        let urls = self.urls.read().expect("no one panics while writing");
        let url = urls.get(number % urls.len().max(1))?;
        Some(format!("{url}{path}"))
    }

    /// One request, to the next of them, which must be answered with this status.
    async fn ask(&self, clients: &[Client; 2], number: usize, path: &str, body: &Value) -> Value {
        let url = self.url(number / 2, path).expect("there is always one");
        let answer = send(clients[number % 2].post(url).json(body)).await;
        let answer = answer.unwrap_or_else(|error| panic!("{path} {number}: {error:?}"));
        let status = answer.status();
        assert!(status.is_success(), "{path} {number}: {status}");
        if answer.headers().contains_key(header::CONNECTION) {
            self.leaving.fetch_add(1, Ordering::Relaxed);
        }
        answer.json().await.expect("the answer is JSON")
    }
}

/// One that keeps its connections, and one with a new connection for each request.
fn clients() -> [Client; 2] {
    let client = |kept| {
        let builder = Client::builder().no_proxy().pool_max_idle_per_host(kept);
        builder.build().expect("a client can be made")
    };
    [client(usize::MAX), client(0)]
}

async fn send(request: RequestBuilder) -> reqwest::Result<Response> {
    request.bearer_auth(tokens::SHOP).timeout(SOON).send().await
}

/// A list of deliveries that have failed for good; their ids.
async fn fail(stack: &Stack) -> Vec<String> {
    let line = format!("{}\n", events::nps_calculated("Promoter"));
    stack.client.post_ndjson(&line.repeat(FAILED)).await;
    e2e::until("all are on the failed list", SOON, async || {
        let items = stack.client.export_failed("").await;
        let id = |item: &Value| item["id"].as_str().map(str::to_owned);
        (items.len() == FAILED).then(|| items.iter().filter_map(id).collect())
    })
    .await
}

/// Each is posted once. The ids of all.
async fn post_events(producers: &Known, stop: &CancellationToken) -> Vec<String> {
    let clients = clients();
    let mut posts = JoinSet::new();
    let mut ticks = interval(Duration::from_secs(1) / EVENTS_PER_SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let (producers, clients) = (producers.clone(), clients.clone());
        posts.spawn(async move {
            let mut event = events::rating_submitted(5);
            event["data"]["customer_id"] = json!(format!("cus_{number}"));
            id(&producers.ask(&clients, number, "/v1/events", &event).await)
        });
        number += 1;
    }
    posts.join_all().await
}

/// One after the other. The ids of all.
async fn make_endpoints(consoles: &Known, url: String, stop: &CancellationToken) -> Vec<String> {
    let clients = clients();
    let body = json!({"url": url, "events": ["widget_dismissed"]});
    let mut ticks = interval(Duration::from_secs(1) / ENDPOINTS_PER_SECOND);
    let mut ids = Vec::new();
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let number = ids.len();
        let path = "/api/v1/endpoints";
        ids.push(id(&consoles.ask(&clients, number, path, &body).await));
    }
    ids
}

/// Sends all of them again, each until it is answered: there may be no list for a while.
async fn send_again(lists: &Known, deliveries: &[String]) {
    let [client, _] = clients();
    for delivery in deliveries {
        let path = format!("/webhooks/failed/{delivery}/resend");
        e2e::until("a re-send is answered", SOON, async || {
            let answer = send(client.post(lists.url(0, &path)?)).await.ok()?;
            match answer.status() {
                // 404: it was done, and the answer was lost.
                StatusCode::ACCEPTED | StatusCode::NOT_FOUND => Some(()),
                StatusCode::SERVICE_UNAVAILABLE => None,
                other => panic!("{other} for {delivery}"),
            }
        })
        .await;
    }
}

/// A server behind a Service.
async fn roll(old: &mut Service, (binary, next): (Binary, Settings), known: &Known) -> Service {
    let new = Service::start(binary, next).await;
    known.set(&[old, &new]);
    old.signal(Signal::Term);
    let what = format!("{} answers on after SIGTERM", binary.name());
    e2e::until(&what, SOON, async || {
        (known.leaving.load(Ordering::Relaxed) >= LATE).then_some(())
    })
    .await;
    let ready = Client::new().get(old.admin_url("/readyz")).send().await;
    assert_eq!(
        ready.expect("an answer").status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    known.set(&[&new]);
    ended(old).await;
    new
}

/// A dispatcher, which nobody sends requests to.
async fn replace(old: &mut Service, (binary, next): (Binary, Settings)) -> Service {
    let new = Service::start(binary, next).await;
    old.signal(Signal::Term);
    ended(old).await;
    new
}

/// In the middle of the re-sends, with a new index.
async fn recreate(
    old: &mut Service,
    (binary, next): (Binary, Settings),
    known: &Known,
    receiver: &Receiver,
) -> Service {
    let some = 2 * FAILED + FAILED / 10;
    let got = receiver.wait_for_count("/broken", some, SOON).await;
    assert!(got.len() < 3 * FAILED, "all were sent again before that");
    old.signal(Signal::Term);
    ended(old).await;
    let new = Service::start(binary, next).await;
    known.set(&[&new]);
    new
}

async fn ended(old: &mut Service) {
    let status = old.wait_exit(SOON).await;
    assert!(status.success(), "{status}: {}", old.log());
}

fn id(answer: &Value) -> String {
    let id = answer["id"].as_str().expect("what was made has an id");
    id.to_owned()
}
