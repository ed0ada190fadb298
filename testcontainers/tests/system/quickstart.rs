//! The quickstart as a new user starts it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use e2e::{client::send, free_port};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(30);

pub(crate) struct Quickstart {
    pub(crate) process: Child,
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
    /// Starts it and reads what it prints until it says that it runs.
    pub(crate) fn start() -> (Self, String) {
        let [console, producer, failed, receiver] = [(); 4].map(|()| free_port());
        let folder = e2e::Binary::Producer.path();
        let binary = folder.with_file_name("quickstart");
        let port = |name: &str, port: u16| [format!("--{name}-port"), port.to_string()];
        let mut process = Command::new(binary)
            .args(["--token", "demo", "--schedule", "1s,1s,1s"])
            .args(port("console", console))
            .args(port("producer", producer))
            .args(port("failed", failed))
            .args(port("receiver", receiver))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the quickstart is built");
        let mut out = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let mut printed = String::new();
        while !printed.contains("Ctrl-C stops everything") {
            let read = out.read_line(&mut printed).expect("it prints text");
            assert!(read > 0, "it ended: {printed}");
        }
        // What it prints later must not fill the pipe.
        std::thread::spawn(move || drop(std::io::copy(&mut out, &mut std::io::sink())));
        let started = Self {
            process,
            console,
            producer,
            failed,
            receiver,
        };
        (started, printed)
    }

    /// Ctrl-C, and its clean end.
    pub(crate) async fn interrupt(&mut self, deadline: Duration) {
        let pid = self.process.id().to_string();
        let interrupted = Command::new("kill").args(["-s", "INT", &pid]).status();
        assert!(interrupted.expect("`kill` starts").success());
        let status = e2e::until("its end", deadline, async || {
            let ended = self.process.try_wait();
            ended.expect("one's own child can be waited for")
        })
        .await;
        assert!(status.success(), "{status}");
    }

    pub(crate) async fn call(
        &self,
        port: u16,
        method: reqwest::Method,
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

#[tokio::test(flavor = "multi_thread")]
async fn the_quickstart_delivers_its_samples_shows_a_failure_and_stops_on_ctrl_c() {
    use reqwest::Method;

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
    running.interrupt(SOON).await;
}
