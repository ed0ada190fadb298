//! All four binaries on one broker, for one test.

use std::time::Duration;

use serde_json::Value;

use crate::kafka::Record;
use crate::settings::tokens;
use crate::{Binary, Broker, Client, Service, Settings, kafka, until};

/// The running system of one test.
#[derive(Debug)]
pub struct Stack {
    pub producer: Service,
    pub dispatcher: Service,
    pub dlq_consumer: Service,
    pub console: Service,
    /// With the token of the account `shop`.
    pub client: Client,
    /// In front of every topic and group of this test.
    pub prefix: String,
    bootstrap: String,
    changes: Vec<Change>,
    /// Removes the topics, after the processes above have ended.
    _topics: Topics,
}

/// Settings that differ from [`Settings::new`].
#[derive(Debug, Clone)]
struct Change {
    binary: Binary,
    key: String,
    value: toml::Value,
}

/// See [`Stack::builder`].
#[derive(Debug)]
pub struct StackBuilder {
    prefix: String,
    /// `None` is the shared one.
    bootstrap: Option<String>,
    changes: Vec<Change>,
}

impl Stack {
    /// A stack on the shared broker with the settings of [`Settings::new`],
    /// to be changed and started.
    #[must_use]
    pub fn builder() -> StackBuilder {
        let prefix = format!("t{}.", crate::random_hex(8));
        StackBuilder {
            prefix,
            bootstrap: None,
            changes: Vec::new(),
        }
    }

    /// The full name of a topic or group: `stack.name("feedback.events")`.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The settings of one more process of this stack, on ports of its own.
    #[must_use]
    pub fn settings(&self, binary: Binary) -> Settings {
        settings(binary, &self.bootstrap, &self.prefix, &self.changes)
    }

    /// Reads what the dispatchers wrote of their attempts, on the shared broker, until it
    /// shows a fact.
    ///
    /// # Panics
    /// When it does not within `deadline`; `what` says what was waited for.
    pub async fn wait_for_attempts<T>(
        &self,
        what: &str,
        deadline: Duration,
        fact: impl Fn(Vec<Value>) -> Option<T>,
    ) -> T {
        let topic = self.name("webhooks.attempts");
        let broker = Broker::shared().await;
        until(what, deadline, async || {
            fact(broker.read(&topic).await.iter().map(Record::json).collect())
        })
        .await
    }

    /// Starts one more process: a second dispatcher, or a second producer
    /// (reach it by [`Service::url`]).
    pub async fn start_another(&self, binary: Binary) -> Service {
        Service::start(binary, self.settings(binary)).await
    }
}

impl StackBuilder {
    /// Uses a broker of the test's own. It keeps its topics.
    #[must_use]
    pub fn broker(mut self, broker: &Broker) -> Self {
        self.bootstrap = Some(broker.bootstrap().to_owned());
        self
    }

    /// The retry schedule, such as `["1s", "2s", "3s", "4s", "5s"]`.
    #[must_use]
    pub fn schedule(self, schedule: &[&str]) -> Self {
        let schedule = schedule.to_vec();
        self.set(Binary::Dispatcher, "retry.schedule", schedule.clone())
            .set(Binary::Console, "retry.schedule", schedule)
    }

    /// Changes one setting of one binary; the key is dotted.
    #[must_use]
    pub fn set(mut self, binary: Binary, key: &str, value: impl Into<toml::Value>) -> Self {
        self.changes.push(Change {
            binary,
            key: key.to_owned(),
            value: value.into(),
        });
        self
    }

    /// The settings as a process of this stack would get them, on ports of
    /// its own.
    pub async fn settings(&self, binary: Binary) -> Settings {
        settings(binary, &self.bootstrap().await, &self.prefix, &self.changes)
    }

    /// Starts all four at once and waits until they are ready.
    ///
    /// # Panics
    /// When one does not get ready; its log tells why.
    pub async fn start(self) -> Stack {
        let mut stack = self.spawn().await;
        stack.dispatcher.wait_ready().await;
        stack.console.wait_ready().await;
        stack.producer.wait_ready().await;
        stack.dlq_consumer.wait_ready().await;
        stack
    }

    /// Starts all four at once and does not wait: for a broker that is down.
    pub async fn spawn(self) -> Stack {
        let bootstrap = self.bootstrap().await;
        let topics = Topics {
            prefix: self.prefix.clone(),
            shared_broker: self.bootstrap.is_none().then(|| bootstrap.clone()),
        };
        let spawn = |binary| {
            Service::spawn(
                binary,
                settings(binary, &bootstrap, &self.prefix, &self.changes),
            )
        };
        let (producer, dispatcher) = (spawn(Binary::Producer), spawn(Binary::Dispatcher));
        let (dlq_consumer, console) = (spawn(Binary::DlqConsumer), spawn(Binary::Console));
        let client = Client::new(
            producer.url(""),
            dlq_consumer.url(""),
            console.url(""),
            tokens::SHOP,
        );
        Stack {
            producer,
            dispatcher,
            dlq_consumer,
            console,
            client,
            prefix: self.prefix,
            bootstrap,
            changes: self.changes,
            _topics: topics,
        }
    }

    async fn bootstrap(&self) -> String {
        match &self.bootstrap {
            Some(bootstrap) => bootstrap.clone(),
            None => Broker::shared().await.bootstrap().to_owned(),
        }
    }
}

fn settings(binary: Binary, bootstrap: &str, prefix: &str, changes: &[Change]) -> Settings {
    let of_binary = changes.iter().filter(|change| change.binary == binary);
    of_binary.fold(
        Settings::new(binary, bootstrap, prefix),
        |settings, change| settings.set(&change.key, change.value.clone()),
    )
}

/// The topics of one test.
#[derive(Debug)]
struct Topics {
    prefix: String,
    shared_broker: Option<String>,
}

impl Drop for Topics {
    fn drop(&mut self) {
        if let Some(bootstrap) = self.shared_broker.take() {
            let prefix = std::mem::take(&mut self.prefix);
            // Not on a thread of the test's runtime: it blocks.
            let deleted =
                std::thread::spawn(move || kafka::topics::delete_topics(&bootstrap, &prefix))
                    .join();
            drop(deleted);
        }
    }
}
