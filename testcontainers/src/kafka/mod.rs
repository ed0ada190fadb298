//! A real Apache Kafka: from `KAFKA_BROKERS`, else in Docker, else on the
//! local JDK. Where there is none of the three, tests fail and say so.

mod container;
mod local;
mod secured;
pub(crate) mod topics;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

pub use secured::{Secured, Way};
pub use topics::{NewRecord, Record};

/// The version of Apache Kafka: jars, cache folder and image.
pub const VERSION: &str = "4.1.1";
/// Names an existing cluster, as `bootstrap.servers` takes it.
pub const BROKERS_VARIABLE: &str = "KAFKA_BROKERS";
/// A cold start on two busy cores takes up to 20 s; an image may have to be
/// pulled before that, which this does not include.
const START_DEADLINE: Duration = Duration::from_secs(90);

/// What a broker is started for: the settings of its Java.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It starts quickly and takes little memory.
    Test,
    /// It does not stop to collect garbage (for 25 ms, once or twice a second under
    /// load), which would be the greater part of what is measured, and runs as fast as
    /// it can. It takes 4 GiB.
    Measurement,
}

impl Purpose {
    /// How much memory.
    const fn heap(self) -> &'static [&'static str] {
        match self {
            Self::Test => &["-Xmx512m"],
            Self::Measurement => &["-Xms4g", "-Xmx4g", "-XX:+AlwaysPreTouch"],
        }
    }

    /// How that is collected, and how code is compiled.
    const fn performance(self) -> &'static [&'static str] {
        match self {
            Self::Test => &["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"],
            Self::Measurement => &["-XX:+UseZGC"],
        }
    }
}

/// One Apache Kafka.
#[derive(Debug)]
pub struct Broker {
    bootstrap: String,
    /// `None` where it is someone else's.
    own: Option<Box<dyn Own>>,
}

/// A broker that the tests have started.
trait Own: std::fmt::Debug + Send + Sync {
    /// Ends it by SIGKILL.
    fn kill(&mut self);
    /// Starts it again.
    fn start(&mut self);
    /// The end of its log, when it is not running.
    fn log_if_ended(&mut self) -> Option<String>;
}

impl Broker {
    /// The broker that all tests of this process share. Started on first use;
    /// ends with the process, however that ends.
    ///
    /// # Panics
    /// When there is no Kafka to be had; the message names all three ways.
    pub async fn shared() -> &'static Self {
        Self::shared_for(Purpose::Test).await
    }

    /// The same, started for this where it was not started before.
    ///
    /// # Panics
    /// As [`Broker::shared`].
    pub async fn shared_for(purpose: Purpose) -> &'static Self {
        static SHARED: OnceLock<Result<Broker, String>> = OnceLock::new();
        let shared = blocking(move || {
            SHARED.get_or_init(move || match std::env::var(BROKERS_VARIABLE) {
                Ok(bootstrap) if !bootstrap.is_empty() => external(bootstrap),
                Ok(_) | Err(_) => own(purpose, None),
            })
        });
        match shared.await {
            Ok(broker) => broker,
            Err(error) => panic!("{error}"),
        }
    }

    /// A broker of the test's own, which can be killed and started again.
    /// Always Docker or the local JDK, as nobody kills a foreign cluster.
    ///
    /// # Panics
    /// As [`Broker::shared`].
    pub async fn private() -> Self {
        match blocking(|| own(Purpose::Test, None)).await {
            Ok(broker) => broker,
            Err(error) => panic!("{error}"),
        }
    }

    /// A broker of the test's own that can also be reached over TLS, and how.
    ///
    /// # Panics
    /// As [`Broker::shared`].
    pub async fn secured() -> (Self, Secured) {
        let secured = Secured::new();
        let started =
            blocking(move || own(Purpose::Test, Some(&secured)).map(|broker| (broker, secured)));
        match started.await {
            Ok(both) => both,
            Err(error) => panic!("{error}"),
        }
    }

    /// `host:port`, as `bootstrap.servers` takes it.
    #[must_use]
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Ends the broker by SIGKILL. Data and port stay for [`Broker::start`].
    ///
    /// # Panics
    /// On a broker that is not private.
    pub async fn kill(&mut self) {
        let mut own = self.own.take().expect(PRIVATE);
        self.own = Some(
            blocking(move || {
                own.kill();
                own
            })
            .await,
        );
    }

    /// Starts a killed broker again, on the same port with the same data, and
    /// waits until it answers.
    ///
    /// # Panics
    /// When it does not answer in time, and as [`Broker::kill`].
    pub async fn start(&mut self) {
        let mut own = self.own.take().expect(PRIVATE);
        let bootstrap = self.bootstrap.clone();
        self.own = Some(
            blocking(move || {
                own.start();
                match wait_until_it_answers(&bootstrap, || own.log_if_ended()) {
                    Ok(()) => own,
                    Err(error) => panic!("{error}"),
                }
            })
            .await,
        );
    }
}

const PRIVATE: &str = "only a broker of `Broker::private` is killed and started";

/// Runs blocking work beside the test's runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn external(bootstrap: String) -> Result<Broker, String> {
    wait_until_it_answers(&bootstrap, || None)
        .map_err(|error| format!("{BROKERS_VARIABLE}={bootstrap}: {error}"))?;
    Ok(Broker {
        bootstrap,
        own: None,
    })
}

/// Docker when it can start one, else the local JDK.
fn own(purpose: Purpose, secured: Option<&Secured>) -> Result<Broker, String> {
    let port = crate::free_port();
    let container =
        container::daemon_answers().and_then(|()| container::Kafka::new(port, purpose, secured));
    let mut own: Box<dyn Own> = match container {
        Ok(kafka) => Box::new(kafka),
        Err(no_docker) => Box::new(local::Kafka::new(port, purpose, secured).map_err(
            |no_local| {
                format!(
                    "no Apache Kafka to test against. One of the three is needed:\n\
                 1. {BROKERS_VARIABLE}=HOST:PORT of a running one: not set, or this test \
                 needs one that it may kill;\n\
                 2. Docker: {no_docker};\n\
                 3. Apache Kafka from Maven Central on the local JDK: {no_local}."
                )
            },
        )?),
    };
    let bootstrap = format!("127.0.0.1:{port}");
    wait_until_it_answers(&bootstrap, || own.log_if_ended())?;
    Ok(Broker {
        bootstrap,
        own: Some(own),
    })
}

/// Waits until a metadata request is answered with at least one broker.
fn wait_until_it_answers(
    bootstrap: &str,
    mut log_if_ended: impl FnMut() -> Option<String>,
) -> Result<(), String> {
    let start = Instant::now();
    let client: BaseConsumer = client_config(bootstrap)
        .create()
        .map_err(|error| format!("cannot make a Kafka client: {error}"))?;
    loop {
        let error = match client.fetch_metadata(None, Duration::from_secs(2)) {
            Ok(metadata) if !metadata.brokers().is_empty() => return Ok(()),
            Ok(_) => "its metadata names no broker".to_owned(),
            Err(error) => error.to_string(),
        };
        if let Some(log) = log_if_ended() {
            return Err(format!(
                "Apache Kafka ended while starting. Its log:\n{log}"
            ));
        }
        if start.elapsed() > START_DEADLINE {
            return Err(format!("no answer within {START_DEADLINE:?}: {error}"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What every client of the test bed starts from.
fn client_config(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "e2e")
        .set("enable.auto.commit", "false")
        .set("reconnect.backoff.max.ms", "200")
        .set("log_level", "0");
    config
}

/// Where a broker listens, and where its clients connect to.
struct Listeners {
    plain: (String, u16),
    controller: String,
    /// SASL_SSL and mTLS.
    secured: Option<[(String, u16); 2]>,
}

/// The settings of a one-node cluster, for the file and for the image's
/// environment.
fn properties(listeners: &Listeners, secured: Option<&Secured>) -> Vec<(&'static str, String)> {
    let fixed = [
        ("process.roles", "broker,controller"),
        ("node.id", "1"),
        ("controller.listener.names", "CONTROLLER"),
        (
            "listener.security.protocol.map",
            "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_SSL,MTLS:SSL",
        ),
        ("offsets.topic.replication.factor", "1"),
        ("offsets.topic.num.partitions", "4"),
        ("transaction.state.log.replication.factor", "1"),
        ("transaction.state.log.min.isr", "1"),
        ("transaction.state.log.num.partitions", "4"),
        ("group.initial.rebalance.delay.ms", "0"),
        // Topics are made by the binaries, with the right settings, or not at all.
        ("auto.create.topics.enable", "false"),
        // A test leaves up to a hundred partitions behind: keep them cheap.
        ("log.index.size.max.bytes", "262144"),
        ("file.delete.delay.ms", "1000"),
    ];
    let mut properties: Vec<_> = fixed
        .map(|(name, value)| (name, value.to_owned()))
        .into_iter()
        .collect();
    let Listeners {
        plain: (listen, port),
        controller,
        secured: more,
    } = listeners;
    let mut listening = format!("PLAINTEXT://{listen},CONTROLLER://{controller}");
    let mut advertised = format!("PLAINTEXT://127.0.0.1:{port}");
    for (name, (listen, port)) in ["SASL", "MTLS"].iter().zip(more.iter().flatten()) {
        listening += &format!(",{name}://{listen}");
        advertised += &format!(",{name}://127.0.0.1:{port}");
    }
    properties.extend([
        ("listeners", listening),
        ("advertised.listeners", advertised),
    ]);
    properties.extend(secured.map(Secured::properties).unwrap_or_default());
    properties
}
