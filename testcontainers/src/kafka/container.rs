//! Apache Kafka in Docker, by the testcontainers crate.

use std::process::{Command, Stdio};

use testcontainers::core::IntoContainerPort;
use testcontainers::runners::SyncRunner;
use testcontainers::{Container, GenericImage, ImageExt};

use super::{Listeners, Own, Purpose, Secured, VERSION};

/// A container and its port on the host.
#[derive(Debug)]
pub(super) struct Kafka {
    /// Taken out when dropped.
    container: Option<Container<GenericImage>>,
}

/// Whether there is a Docker daemon to start containers.
pub(super) fn daemon_answers() -> Result<(), String> {
    // The reaper needs the command line too, so it is what is asked.
    let output = Command::new("docker")
        .args(["version", "--format", "{{.Server.Version}}"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`docker` does not start ({error})"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(text
        .lines()
        .next()
        .unwrap_or("its daemon does not answer")
        .trim_end_matches('.')
        .to_owned())
}

impl Kafka {
    pub(super) fn new(
        port: u16,
        purpose: Purpose,
        secured: Option<&Secured>,
    ) -> Result<Self, String> {
        let [sasl, mtls] = [9094, 9095];
        let listeners = Listeners {
            plain: (":9092".to_owned(), port),
            controller: ":9093".to_owned(),
            secured: secured.map(|secured| {
                let [to_sasl, to_mtls] = secured.ports();
                [(format!(":{sasl}"), to_sasl), (format!(":{mtls}"), to_mtls)]
            }),
        };
        let properties = super::properties(&listeners, secured);
        let mut image = GenericImage::new("apache/kafka", VERSION)
            // A fixed port: after a restart it is the same.
            .with_mapped_port(port, 9092.tcp())
            .with_env_var("KAFKA_HEAP_OPTS", purpose.heap().join(" "))
            .with_env_var(
                "KAFKA_JVM_PERFORMANCE_OPTS",
                purpose.performance().join(" "),
            )
            .with_env_var("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:9093");
        for (inside, outside) in [sasl, mtls]
            .into_iter()
            .zip(secured.iter().flat_map(|it| it.ports()))
        {
            image = image.with_mapped_port(outside, inside.tcp());
        }
        for (name, value) in properties {
            let variable = format!("KAFKA_{}", name.to_uppercase().replace('.', "_"));
            image = image.with_env_var(variable, value);
        }
        let container = image
            .start()
            .map_err(|error| format!("it cannot start apache/kafka:{VERSION}: {error}"))?;
        crate::reaper::remove_container_at_end(container.id());
        Ok(Self {
            container: Some(container),
        })
    }

    fn container(&self) -> &Container<GenericImage> {
        self.container
            .as_ref()
            .expect("it is taken out when dropped only")
    }
}

impl Own for Kafka {
    fn start(&mut self) {
        self.container()
            .start()
            .expect("a stopped container starts again");
    }

    fn kill(&mut self) {
        let killed = Command::new("docker")
            .args(["kill", self.container().id()])
            .output();
        let killed = killed.expect("`docker` started a moment ago");
        assert!(
            killed.status.success(),
            "docker kill: {}",
            String::from_utf8_lossy(&killed.stderr)
        );
    }

    fn log_if_ended(&mut self) -> Option<String> {
        match self.container().is_running() {
            Ok(true) => None,
            Ok(false) | Err(_) => {
                let log = self.container().stdout_to_vec().unwrap_or_default();
                Some(crate::service::tail(&String::from_utf8_lossy(&log), 30))
            }
        }
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        // Its own drop blocks on a runtime, which a thread of the test's
        // runtime must not.
        let container = self.container.take();
        let removed = std::thread::spawn(move || drop(container)).join();
        drop(removed);
    }
}
