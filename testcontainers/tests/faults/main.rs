//! Nothing is lost and little is repeated when things break.

mod rolling;

use std::{collections::BTreeSet, time::Duration};

use e2e::{Answer, Binary, Broker, Receiver, Signal, Stack, events, kafka::NewRecord};

const SOON: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(180);
const RATING: &[&str] = &["rating_submitted"];

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_dispatcher_loses_nothing_and_repeats_no_more_than_the_bound() {
    const EVENTS: usize = 50_000;
    let _alone = e2e::alone().await;
    let receiver = Receiver::start();
    receiver.answer("/hook", Answer::after(Duration::from_millis(20), 200));
    let mut stack = Stack::builder().start().await;
    stack
        .client
        .create_endpoint(&receiver.url("/hook"), RATING)
        .await;
    let ids: BTreeSet<String> = stack
        .client
        .post_ratings(EVENTS)
        .await
        .into_iter()
        .collect();
    assert_eq!(ids.len(), EVENTS);
    let half = receiver
        .wait_for("half of the events", LONG, |log| {
            (log.events("/hook") >= EVENTS / 2).then(|| log.to("/hook"))
        })
        .await;
    stack.dispatcher.kill();
    let (first, last) = (half[0].instant, half[half.len() - 1].instant);
    let observed =
        usize::try_from(last.duration_since(first).as_millis()).expect("it took a while");
    let a_quarter_second = half.len() * 250 / observed.max(1) + 1;
    stack.dispatcher.restart().await;
    receiver.wait_for_events("/hook", EVENTS, LONG).await;
    receiver.look(|log| {
        let in_flight = log.most_in_flight("/hook");
        let bound = in_flight + a_quarter_second;
        let repeats = log.repeats("/hook");
        assert!(repeats <= bound, "{repeats} repeats, allowed are {bound}");
        let got: BTreeSet<String> = log
            .to("/hook")
            .iter()
            .map(|request| request.webhook_id().to_owned())
            .collect();
        assert_eq!(got, ids);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_and_a_joining_dispatcher_under_load_repeat_nothing() {
    const EVENTS: usize = 10_000;
    let _alone = e2e::alone().await;
    let receiver = Receiver::start();
    // Two endpoints an event: when one has it, the other may still wait.
    receiver.answer("/hook/fast", Answer::after(Duration::from_millis(10), 200));
    receiver.answer("/hook/slow", Answer::after(Duration::from_millis(40), 200));
    let mut stack = Stack::builder().start().await;
    for path in ["/hook/fast", "/hook/slow"] {
        stack
            .client
            .create_endpoint(&receiver.url(path), RATING)
            .await;
    }
    stack.client.post_ratings(EVENTS).await;
    receiver
        .wait_for_events("/hook/slow", EVENTS / 10, LONG)
        .await;
    let mut second = stack.start_another(Binary::Dispatcher).await;
    e2e::until("the second dispatcher has partitions", SOON, async || {
        let partitions = second.metric("feedbackpro_dispatcher_partitions").await;
        (partitions > Some(0.0)).then_some(())
    })
    .await;
    let so_far = receiver.look(|log| log.events("/hook/slow"));
    assert!(so_far < EVENTS, "there was no load when it joined");
    stack.client.post_ratings(EVENTS).await;
    let so_far = receiver.look(|log| log.events("/hook/slow"));
    assert!(so_far < 2 * EVENTS, "there was no load at the stop");
    stack.dispatcher.signal(Signal::Term);
    let status = stack.dispatcher.wait_exit(SOON).await;
    assert!(status.success(), "{status}: {}", stack.dispatcher.log());
    for path in ["/hook/fast", "/hook/slow"] {
        receiver.wait_for_events(path, 2 * EVENTS, LONG).await;
        assert_eq!(receiver.look(|log| log.repeats(path)), 0, "{path}");
    }
    second.signal(Signal::Term);
    assert!(second.wait_exit(SOON).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_is_set_aside_and_holds_nothing_up() {
    let receiver = Receiver::start();
    let stack = Stack::builder().start().await;
    stack
        .client
        .create_endpoint(&receiver.url("/hook"), RATING)
        .await;
    let broker = Broker::shared().await;
    for topic in ["feedback.events", "webhooks.ready", "webhooks.retry.15s"] {
        for partition in 0..6 {
            let poison = NewRecord {
                key: None,
                value: Some(b"\xff no event".to_vec()),
                headers: vec![("account".to_owned(), b"shop".to_vec())],
                partition: Some(partition),
            };
            broker.write(&stack.name(topic), poison).await;
        }
    }
    let ids = stack.client.post_ratings(50).await;
    receiver.wait_for_events("/hook", ids.len(), SOON).await;
    let operator = stack.client.with_token(e2e::settings::tokens::OPERATOR);
    let poison = operator.wait_for_failed(18, SOON).await;
    for entry in &poison {
        assert_eq!(entry["reason"], "undecodable");
        assert!(entry["payload"].is_null());
        assert_eq!(entry["payload_base64"], "/yBubyBldmVudA==");
    }
    assert!(
        stack.client.failed("").await.items.is_empty(),
        "only operators see them"
    );
    let id = poison[0]["id"].as_str().expect("an entry has an id");
    let path = format!("/webhooks/failed/{id}/resend");
    let reply = operator
        .call(Binary::DlqConsumer, reqwest::Method::POST, &path)
        .await;
    drop(reply.problem(409));
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_back_by_itself_when_the_broker_does() {
    let _alone = e2e::alone().await;
    let receiver = Receiver::start();
    let mut broker = Broker::private().await;
    broker.kill().await;
    let mut stack = Stack::builder().broker(&broker).spawn().await;
    broker.start().await;
    for service in [
        &mut stack.producer,
        &mut stack.dispatcher,
        &mut stack.dlq_consumer,
        &mut stack.console,
    ] {
        service.wait_ready().await;
    }
    stack
        .client
        .create_endpoint(&receiver.url("/hook"), RATING)
        .await;
    let first = stack.client.post_event(&events::rating_submitted(1)).await;
    receiver.wait_for_events("/hook", 1, SOON).await;
    // What is not committed yet is sent again after the outage.
    let (group, topic) = (stack.name("dispatcher"), stack.name("feedback.events"));
    broker.wait_until_committed(&group, &topic, SOON).await;
    broker.kill().await;
    let refused = stack
        .client
        .call_json(
            Binary::Producer,
            reqwest::Method::POST,
            "/v1/events",
            &events::rating_submitted(2),
        )
        .await;
    assert!(!refused.header("retry-after").is_empty());
    drop(refused.problem(503));
    broker.start().await;
    let last = e2e::until("an event is accepted again", SOON, async || {
        let reply = stack
            .client
            .call_json(
                Binary::Producer,
                reqwest::Method::POST,
                "/v1/events",
                &events::rating_submitted(3),
            )
            .await;
        (reply.status == 202).then(|| reply.json()["id"].as_str().map(str::to_owned))?
    })
    .await;
    receiver
        .wait_for("the event after the outage", SOON, |log| {
            (!log.attempts("/hook", &last).is_empty()).then_some(())
        })
        .await;
    assert_eq!(receiver.look(|log| log.attempts("/hook", &first).len()), 1);
}
