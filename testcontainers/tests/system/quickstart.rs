//! The quickstart as a new user starts it.

use std::{
    io::{BufRead, BufReader},
    net::TcpStream,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use e2e::{Answer, Receiver, client::send, command::finish, free_port};
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) const SOON: Duration = Duration::from_secs(60);

pub(crate) struct Quickstart {
    process: Child,
    pub(crate) console: u16,
    pub(crate) producer: u16,
    pub(crate) failed: u16,
    pub(crate) receiver: u16,
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Quickstart {
    /// Starts it on free ports, and does not wait.
    fn spawn(more: &[&str]) -> Self {
        let [console, producer, failed, receiver] = [(); 4].map(|()| free_port());
        let port = |name: &str, port: u16| [format!("--{name}-port"), port.to_string()];
        let process = Command::new(binary())
            .args(["--token", "demo", "--schedule", "1s,1s,1s"])
            .args(port("console", console))
            .args(port("producer", producer))
            .args(port("failed", failed))
            .args(port("receiver", receiver))
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the quickstart is built");
        Self {
            process,
            console,
            producer,
            failed,
            receiver,
        }
    }

    /// Starts it and reads what it prints until it says that it runs.
    pub(crate) fn start() -> (Self, String) {
        let mut started = Self::spawn(&[]);
        let out = started.process.stdout.take();
        let out = BufReader::new(out.expect("stdout is piped"));
        let (line, lines) = channel();
        // To its end: what it prints later must not fill the pipe.
        std::thread::spawn(move || {
            for read in out.lines() {
                drop(line.send(read.expect("it prints text")));
            }
        });
        let end = Instant::now() + SOON;
        let mut printed = String::new();
        while !printed.contains("Ctrl-C stops everything") {
            match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => printed += &(line + "\n"),
                Err(error) => panic!("it does not say that it runs ({error}): {printed}"),
            }
        }
        (started, printed)
    }

    /// Sends Ctrl-C and waits for the end.
    pub(crate) async fn interrupt(&mut self) -> ExitStatus {
        let command = format!("kill -s INT {}", self.process.id());
        let sent = Command::new("sh").args(["-c", &command]).status();
        assert!(sent.expect("`sh` starts").success());
        let ended = async || {
            let ended = self.process.try_wait();
            ended.expect("one's own child can be waited for")
        };
        e2e::until("its end", SOON, ended).await
    }

    /// Its ports but the receiver's.
    fn served(&self) -> [u16; 3] {
        [self.console, self.producer, self.failed]
    }

    pub(crate) async fn call(
        &self,
        port: u16,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> e2e::Reply {
        let url = format!("http://127.0.0.1:{port}{path}");
        let mut request = reqwest::Client::new()
            .request(method, url)
            .bearer_auth("demo");
        if let Some(body) = body {
            request = request.json(&body);
        }
        send(request).await
    }
}

fn binary() -> std::path::PathBuf {
    e2e::Binary::Producer.path().with_file_name("quickstart")
}

fn is_open(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quickstart_delivers_its_samples_shows_a_failure_and_stops_on_ctrl_c() {
    let _alone = e2e::alone().await;
    let (mut running, printed) = Quickstart::start();
    assert!(printed.contains("IN MEMORY ONLY"), "{printed}");
    assert_eq!(printed.matches("(verified)").count(), 4, "{printed}");
    for shown in [
        running.console,
        running.producer,
        running.failed,
        running.receiver,
    ] {
        assert!(
            printed.contains(&format!("http://127.0.0.1:{shown}/")),
            "{printed}"
        );
    }
    assert!(printed.contains("/shop"), "{printed}");
    drop(
        running
            .call(running.console, Method::GET, "/readyz", None)
            .await
            .expect(200),
    );
    let metrics = running
        .call(running.console, Method::GET, "/metrics", None)
        .await;
    assert!(
        metrics
            .text()
            .contains("feedbackpro_dispatcher_attempts_total")
    );
    let url = format!("http://127.0.0.1:{}/broken", running.receiver);
    let endpoint = json!({"url": url, "events": ["widget_dismissed"]});
    let path = "/api/v1/endpoints";
    drop(
        running
            .call(running.console, Method::POST, path, Some(endpoint))
            .await
            .expect(201),
    );
    let event = e2e::events::widget_dismissed();
    let posted = running
        .call(running.producer, Method::POST, "/v1/events", Some(event))
        .await;
    let id = posted.expect(202).json()["id"].clone();
    let failed = e2e::until("the failure is in the list", SOON, async || {
        let page = running
            .call(running.failed, Method::GET, "/webhooks/failed", None)
            .await;
        page.expect(200).json()["items"]
            .as_array()?
            .first()
            .cloned()
    })
    .await;
    assert_eq!(failed["event_id"], id);
    assert_eq!(failed["attempts"], 4);
    let status = running.interrupt().await;
    assert!(status.success(), "{status}");
    for port in running.served() {
        assert!(!is_open(port), "{port} is open after the end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quickstart_stops_while_an_endpoint_hangs() {
    let _alone = e2e::alone().await;
    let hanging = Receiver::start();
    hanging.answer("/hangs", Answer::Hang);
    let (mut running, _) = Quickstart::start();
    let endpoint = json!({"url": hanging.url("/hangs"), "events": ["widget_dismissed"]});
    let path = "/api/v1/endpoints";
    let created = running.call(running.console, Method::POST, path, Some(endpoint));
    drop(created.await.expect(201));
    e2e::until("the endpoint hangs", SOON, async || {
        let event = e2e::events::widget_dismissed();
        let posted = running.call(running.producer, Method::POST, "/v1/events", Some(event));
        drop(posted.await.expect(202));
        hanging.look(|log| (log.total() > 0).then_some(()))
    })
    .await;
    let status = running.interrupt().await;
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quickstart_opens_no_port_before_its_samples_were_delivered() {
    // Nothing is delivered without a broker.
    let nowhere = format!("127.0.0.1:{}", free_port());
    let mut running = Quickstart::spawn(&["--kafka", &nowhere]);
    let receiver = running.receiver;
    e2e::until("the demo receiver listens", SOON, async || {
        is_open(receiver).then_some(())
    })
    .await;
    for port in running.served() {
        assert!(!is_open(port), "{port} is open");
    }
    let status = running.interrupt().await;
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn flags_that_cannot_be_used_are_named() {
    for (flags, code, told) in [
        (
            ["--console-port=8080", "--failed-port=8080"],
            64,
            "--failed-port: found 8080, which is that of --console-port, too",
        ),
        (["--token=", "--kafka=x"], 2, "'--token <TOKEN>'"),
        (
            ["--producer-port=0", "--kafka=x"],
            2,
            "0 is not in 1..=65535",
        ),
        (["--schedule=2s,1s", "--kafka=x"], 2, "never shrink"),
    ] {
        let ended = finish(Command::new(binary()).args(flags), SOON).await;
        let text = ended.stderr;
        assert_eq!(ended.code, Some(code), "{flags:?}: {text}");
        assert!(text.contains(told), "{flags:?}: {text}");
    }
}
