//! The four services in this process.

use std::{collections::HashMap, path::PathBuf};

use domain::Schedule;
use kafka::TopicPolicy;
use prometheus::Registry;
use service::{
    health::Health,
    http::Port,
    settings::{SettingsError, load_from},
    tokens::Tokens,
};
use tokio::runtime::LocalRuntime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{cluster::Cluster, demo};

/// Where the services listen.
pub(crate) struct Ports {
    pub(crate) console: Port,
    pub(crate) producer: Port,
    pub(crate) failed: Port,
}

/// What the quickstart sets otherwise than the services' default files.
pub(crate) struct Overrides {
    kafka: Vec<(String, String)>,
    auth: (String, String),
    retry: (String, String),
    /// Where producer and dlq-consumer are, for the console.
    services: [(String, String); 3],
    sending: Vec<(String, String)>,
    /// The folder of the index files.
    indexes: PathBuf,
}

impl Overrides {
    pub(crate) fn new(
        cluster: &Cluster,
        schedule: &Schedule,
        tokens: &demo::Tokens,
        (producer_port, failed_port): (u16, u16),
    ) -> Self {
        let mut kafka = vec![set("KAFKA__BROKERS", &cluster.brokers)];
        kafka.extend(cluster.properties.iter().map(|(key, value)| {
            set(
                &format!("KAFKA__PROPERTIES__{}", key.replace('.', "_")),
                value,
            )
        }));
        let account = demo::ACCOUNT;
        let tokens = format!(
            r#"[
                {{ id = "quickstart", account = "{account}", role = "account", sha256 = "{}" }},
                {{ id = "shop-widget", account = "{account}", role = "ingest", sha256 = "{}",
                   origins = ["{}"] }},
            ]"#,
            demo::sha256(&tokens.account),
            demo::sha256(&tokens.widget),
            tokens.origin,
        );
        let delays: Vec<String> = schedule.delays().iter().map(ToString::to_string).collect();
        let (id, key) = demo::SEALING_KEY;
        let key = format!(r#"[{{ id = "{id}", key = "{key}" }}]"#);
        let local = |port: u16| format!("http://127.0.0.1:{port}");
        let directory = format!("feedbackpro-quickstart-{}", std::process::id());
        Self {
            kafka,
            auth: set("AUTH__TOKENS", &tokens),
            retry: set("RETRY__SCHEDULE", &delays.join(",")),
            services: [
                set("FAILED__URL", &local(failed_port)),
                set("PORTAL__URLS__PRODUCER", &local(producer_port)),
                set("PORTAL__URLS__FAILED", &local(failed_port)),
            ],
            sending: vec![
                set("SECRETS__KEYS", &key),
                set("GUARD__ALLOW_PLAIN_HTTP_TO_LOOPBACK", "true"),
            ],
            indexes: std::env::temp_dir().join(directory),
        }
    }

    fn producer(&self) -> Result<producer::Settings, SettingsError> {
        let auth = [self.auth.clone()];
        load_from(producer::settings::DEFAULTS, &[], self.with(&auth))
    }

    fn dlq_consumer(&self) -> Result<dlq_consumer::Settings, SettingsError> {
        let path = self.indexes.join("failed.sqlite");
        let own = [
            self.auth.clone(),
            set("INDEX__PATH", &path.to_string_lossy()),
        ];
        load_from(dlq_consumer::settings::DEFAULTS, &[], self.with(&own))
    }

    fn console(&self) -> Result<console::settings::Settings, SettingsError> {
        let path = self.indexes.join("attempts.sqlite");
        let mut own = vec![
            self.auth.clone(),
            self.retry.clone(),
            set("SESSION__ALLOW_PLAIN_HTTP_ON_LOOPBACK", "true"),
            set("INDEX__PATH", &path.to_string_lossy()),
        ];
        own.extend_from_slice(&self.services);
        own.extend_from_slice(&self.sending);
        load_from(console::settings::DEFAULTS, &[], self.with(&own))
    }

    fn dispatcher(&self) -> Result<dispatcher::Settings, SettingsError> {
        let mut own = vec![self.retry.clone()];
        own.extend_from_slice(&self.sending);
        load_from(dispatcher::DEFAULTS, &[], self.with(&own))
    }

    fn with(&self, own: &[(String, String)]) -> HashMap<String, String> {
        self.kafka.iter().chain(own).cloned().collect()
    }

    /// Removes the indexes' files: they are rebuilt from their topics anyway.
    pub(crate) fn remove_indexes(&self) {
        if let Err(error) = std::fs::remove_dir_all(&self.indexes) {
            tracing::debug!(%error, "the indexes' files could not be removed");
        }
    }
}

fn set(key: &str, value: &str) -> (String, String) {
    (format!("FEEDBACKPRO__{key}"), value.to_owned())
}

/// Starts all four. Health and metrics are on the console's port.
pub(crate) fn start(
    settings: &Overrides,
    topics: TopicPolicy,
    health: &Health,
    ports: Ports,
    shutdown: &CancellationToken,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let registry = Registry::new();
    let mut services = JoinSet::new();

    let own = settings.producer()?;
    let tokens = Tokens::new(&own.auth)?;
    let parts = producer::Parts {
        api: ports.producer,
        admin: None,
        health: health.clone(),
        registry: registry.clone(),
        topics,
        files: Vec::new(),
    };
    let stop = shutdown.clone();
    services.spawn(async move { Ok(producer::run(own, parts, stop).await?) });

    let own = settings.dlq_consumer()?;
    let parts = dlq_consumer::Parts {
        api: ports.failed,
        admin: None,
        health: health.clone(),
        registry: registry.clone(),
        topics,
        tokens: tokens.clone(),
    };
    let stop = shutdown.clone();
    services.spawn(async move { Ok(dlq_consumer::run(own, parts, stop).await?) });

    let own = settings.console()?;
    let parts = console::Parts {
        api: ports.console,
        admin: None,
        health: health.clone(),
        registry: registry.clone(),
        topics,
        tokens,
    };
    let stop = shutdown.clone();
    services.spawn(async move { Ok(console::run(own, parts, stop).await?) });

    let own = settings.dispatcher()?;
    let parts = dispatcher::Parts {
        health: health.clone(),
        registry,
        topics,
    };
    let stop = shutdown.clone();
    // Its engine belongs on a thread of its own.
    services.spawn_blocking(move || {
        let runtime = LocalRuntime::new()?;
        let ended = runtime.block_on(dispatcher::run(own, parts, stop));
        runtime.shutdown_background();
        Ok(ended?)
    });
    Ok(services)
}
