//! Apache Kafka from Maven Central on the local JDK.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Listeners, Own, Purpose, Secured, VERSION};
use crate::reaper::{self, Folder};

/// The oldest Java that a broker of this version runs on.
const JAVA: u32 = 17;

/// A broker process and its folder.
#[derive(Debug)]
pub(super) struct Kafka {
    folder: Folder,
    class_path: String,
    purpose: Purpose,
    process: Option<Child>,
}

impl Kafka {
    /// Fetches the jars where they are not cached, formats a data folder and
    /// starts the broker.
    pub(super) fn new(
        port: u16,
        purpose: Purpose,
        secured: Option<&Secured>,
    ) -> Result<Self, String> {
        check_java()?;
        let class_path = format!("{}/*", jars()?.display());
        let folder = Folder::new();
        let controller = format!("127.0.0.1:{}", crate::free_port());
        let local = |port: u16| (format!("127.0.0.1:{port}"), port);
        let listeners = Listeners {
            plain: local(port),
            controller: controller.clone(),
            secured: secured.map(|secured| secured.ports().map(local)),
        };
        let mut properties = super::properties(&listeners, secured);
        properties.push(("controller.quorum.bootstrap.servers", controller));
        properties.push(("log.dirs", folder.path().join("data").display().to_string()));
        let lines: Vec<_> = properties
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        folder.write("server.properties", &lines.join("\n"));
        folder.write("log4j2.xml", include_str!("../../kafka/log4j2.xml"));
        let mut kafka = Self {
            folder,
            class_path,
            purpose,
            process: None,
        };
        kafka.format()?;
        kafka.start();
        Ok(kafka)
    }

    fn java(&self, purpose: Purpose) -> Command {
        let mut java = Command::new("java");
        java.args(purpose.heap())
            .args(purpose.performance())
            .arg(format!(
                "-Dlog4j2.configurationFile={}",
                self.file("log4j2.xml")
            ))
            .args(["-cp", &self.class_path])
            .stdin(Stdio::null());
        java
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn format(&self) -> Result<(), String> {
        let id = URL_SAFE_NO_PAD.encode(uuid::Uuid::new_v4().as_bytes());
        let properties = self.file("server.properties");
        let output = self
            .java(Purpose::Test)
            // With `=`: the id may begin with a dash.
            .args(["kafka.tools.StorageTool", "format", "--standalone"])
            .arg(format!("--cluster-id={id}"))
            .args(["-c", &properties])
            .output()
            .map_err(|error| format!("`java` does not start: {error}"))?;
        if output.status.success() {
            Ok(())
        } else {
            Err(format!(
                "formatting its storage failed: {}",
                text_of(&output)
            ))
        }
    }
}

impl Own for Kafka {
    fn start(&mut self) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.file("kafka.log"));
        let log = log.expect("the broker's own folder takes a file");
        let child = self
            .java(self.purpose)
            .args(["kafka.Kafka", &self.file("server.properties")])
            .stdout(log.try_clone().expect("a file can be opened twice"))
            .stderr(log)
            // Ctrl-C in a terminal is for the tests; the reaper ends this.
            .process_group(0)
            .spawn()
            .expect("`java` started a moment ago");
        reaper::kill_at_end(child.id());
        self.process = Some(child);
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.process.take() {
            child.kill().expect("one's own child can be killed");
            child.wait().expect("a killed child ends");
            reaper::has_ended(child.id());
        }
    }

    fn log_if_ended(&mut self) -> Option<String> {
        let child = self.process.as_mut()?;
        let status = child
            .try_wait()
            .expect("one's own child can be waited for")?;
        let log = std::fs::read_to_string(self.file("kafka.log")).unwrap_or_default();
        Some(format!("{}\n({status})", crate::service::tail(&log, 30)))
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        self.kill();
    }
}

fn check_java() -> Result<(), String> {
    let hint = "apt-get install openjdk-17-jre-headless";
    let output = Command::new("java")
        .arg("-version")
        .output()
        .map_err(|error| format!("`java` does not start ({error}); {hint}"))?;
    let text = text_of(&output);
    let version = text.split('"').nth(1).unwrap_or_default();
    let major = version.split(['.', '-']).next().unwrap_or_default();
    match major.parse::<u32>() {
        Ok(major) if major >= JAVA => Ok(()),
        Ok(_) | Err(_) => Err(format!(
            "Java {JAVA} or newer is needed, `java -version` says: {text}; {hint}"
        )),
    }
}

/// The folder of the jars, filled on first use: below the workspace, so that
/// it outlives a test, and locked, so that several processes may come at once.
fn jars() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(".cache");
    let done = root.join(format!("kafka-{VERSION}"));
    if done.is_dir() {
        return Ok(done);
    }
    let io = |error: std::io::Error| format!("the cache {}: {error}", root.display());
    std::fs::create_dir_all(&root).map_err(io)?;
    let lock = File::create(root.join("kafka.lock")).map_err(io)?;
    lock.lock().map_err(io)?;
    if done.is_dir() {
        return Ok(done);
    }
    let part = root.join(format!("kafka-{VERSION}.part"));
    if part.exists() {
        std::fs::remove_dir_all(&part).map_err(io)?;
    }
    let output = Command::new("mvn")
        .args(["-q", "-B", "dependency:copy-dependencies"])
        .args(["-f", concat!(env!("CARGO_MANIFEST_DIR"), "/kafka/pom.xml")])
        .arg(format!("-DoutputDirectory={}", part.display()))
        .output()
        .map_err(|error| {
            format!(
                "its jars are not cached and `mvn` does not start ({error}); apt-get install maven"
            )
        })?;
    if !output.status.success() {
        return Err(format!(
            "`mvn` could not fetch its jars: {}",
            text_of(&output)
        ));
    }
    std::fs::rename(&part, &done).map_err(io)?;
    Ok(done)
}

fn text_of(output: &std::process::Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).trim().to_owned()
}
