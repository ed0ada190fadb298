//! Topics are given more partitions while everything runs.

use std::collections::BTreeSet;
use std::time::Duration;

use e2e::{Answer, Binary, Broker, Receiver, Service, Stack};

const SOON: Duration = Duration::from_secs(60);
/// Topics, and how many partitions they get.
const LARGER: [(&str, usize); 4] = [
    ("feedback.events", 9),
    ("webhooks.ready", 30),
    ("webhooks.retry.1s", 9),
    ("webhooks.attempts", 9),
];

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_are_added_are_written_and_read_by_what_runs_already() {
    let broker = Broker::shared().await;
    let receiver = Receiver::start();
    receiver.answer("/hook", Answer::failing(1, 500));
    let stack = Stack::builder().schedule(&["1s"]).start().await;
    let second = stack.start_another(Binary::Dispatcher).await;
    let url = receiver.url("/hook");
    stack
        .client
        .create_endpoint(&url, &["rating_submitted"])
        .await;
    let mut ids: BTreeSet<_> = stack.client.post_ratings(100).await.into_iter().collect();
    for (topic, partitions) in LARGER {
        broker.enlarge_topic(&stack.name(topic), partitions).await;
    }

    let dispatchers = [&stack.dispatcher, &second];
    for (topic, partitions) in &LARGER[..3] {
        let what = format!("{partitions} partitions of {topic} are read");
        e2e::until(&what, SOON, async || {
            let [first, second] = dispatchers;
            let (topic, wanted) = (
                stack.name(topic),
                f64::from(u32::try_from(*partitions).ok()?),
            );
            let sum = read_by(first, &topic).await + read_by(second, &topic).await;
            (sum == wanted).then_some(())
        })
        .await;
    }
    // A producer learns of them within ten seconds.
    for topic in ["feedback.events", "webhooks.retry.1s", "webhooks.attempts"] {
        let topic = stack.name(topic);
        e2e::until(
            &format!("new partitions of {topic} are written"),
            SOON,
            async || {
                ids.extend(stack.client.post_ratings(20).await);
                let records = broker.read(&topic).await;
                records
                    .iter()
                    .any(|record| record.partition >= 6)
                    .then_some(())
            },
        )
        .await;
    }
    receiver.wait_for_count("/hook", 2 * ids.len(), SOON).await;
    for topic in ["feedback.events", "webhooks.retry.1s"] {
        let (group, topic) = (stack.name("dispatcher"), stack.name(topic));
        broker.wait_until_committed(&group, &topic, SOON).await;
    }
    receiver.look(|log| {
        for id in &ids {
            assert_eq!(log.attempts("/hook", id).len(), 2, "{id}");
        }
    });
}

async fn read_by(dispatcher: &Service, topic: &str) -> f64 {
    let metric = format!("feedbackpro_dispatcher_partitions{{topic=\"{topic}\"}}");
    dispatcher.metric(&metric).await.unwrap_or_default()
}
