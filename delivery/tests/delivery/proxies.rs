//! An egress proxy: the one of the settings, and never one of the environment.

use std::process::Command;
use std::sync::Arc;

use delivery::{Client, Connector, Egress, Guard, GuardSettings, Limits};
use domain::Cause;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::receiver::{OK, Receiver, response};
use crate::senders::{
    Answers, FAILS, NAME, assert_answered, assert_failed, named_guard, post, target,
};
use crate::tls::{Authority, answering};

fn through(proxy: u16, port: u16, authority: &Authority, answers: &Arc<Answers>) -> Client {
    let egress = Egress {
        proxy: Some(format!("http://127.0.0.1:{proxy}")),
        extra_ca: authority.file(),
    };
    let connector = Connector::new(named_guard(port), Limits::default(), &egress).unwrap();
    Client::new(Arc::new(connector.with_resolver(Arc::clone(answers) as _)))
}

/// A proxy that connects to 127.0.0.1 whatever the name; the request lines it saw.
async fn proxy(tasks: &mut JoinSet<()>) -> (u16, Arc<std::sync::Mutex<Vec<String>>>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    tasks.spawn(async move {
        loop {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let read = tcp.read(&mut head).await.unwrap();
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let line = head.lines().next().unwrap_or_default().to_owned();
            let authority = line.split(' ').nth(1).unwrap().to_owned();
            noted.lock().unwrap().push(line);
            let port = authority
                .rsplit(':')
                .next()
                .unwrap()
                .parse::<u16>()
                .unwrap();
            let mut onward = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            tcp.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
                .await
                .unwrap();
            let _copied = copy_bidirectional(&mut tcp, &mut onward).await;
        }
    });
    (port, seen)
}

#[tokio::test]
async fn requests_go_through_the_proxy_of_the_settings() {
    let authority = Authority::new();
    let receiver = Receiver::tls(authority.acceptor(NAME), answering(OK)).await;
    let port = receiver.address.port();
    let mut tasks = JoinSet::new();
    let (proxy, seen) = proxy(&mut tasks).await;
    let client = through(proxy, port, &authority, &Answers::new(&["8.8.8.8"]));
    let target = target(&client, &format!("https://{NAME}:{port}/hook"));
    assert_answered(&post(&client, &target).await, 200);
    assert!(post(&client, &target).await.reused_connection);
    assert_eq!(
        *seen.lock().unwrap(),
        [format!("CONNECT {NAME}:{port} HTTP/1.1")]
    );
    assert!(receiver.requests()[0].starts_with("POST /hook HTTP/1.1\r\n"));
}

#[tokio::test]
async fn names_that_are_private_here_are_refused_before_the_proxy() {
    let authority = Authority::new();
    let proxy = Receiver::answering(OK).await;
    let answers = Answers::new(&["10.0.0.1"]);
    let client = through(proxy.address.port(), 443, &authority, &answers);
    let target = target(&client, &format!("https://{NAME}/"));
    assert_failed(
        &post(&client, &target).await,
        Cause::ForbiddenAddress,
        "10.0.0.1",
    );
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn names_unknown_here_are_left_to_the_proxy() {
    let authority = Authority::new();
    let receiver = Receiver::tls(authority.acceptor(NAME), answering(OK)).await;
    let port = receiver.address.port();
    let mut tasks = JoinSet::new();
    let (proxy, seen) = proxy(&mut tasks).await;
    let client = through(proxy, port, &authority, &Answers::new(&[FAILS]));
    let target = target(&client, &format!("https://{NAME}:{port}/hook"));
    assert_answered(&post(&client, &target).await, 200);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_a_connect_error() {
    let authority = Authority::new();
    let answers = Answers::new(&["8.8.8.8"]);
    let refusing = Receiver::start(|peer| async move {
        peer.answer_all(&response("403 Forbidden", "no")).await;
    })
    .await;
    let client = through(refusing.address.port(), 443, &authority, &answers);
    let destination = target(&client, &format!("https://{NAME}/"));
    let attempt = post(&client, &destination).await;
    assert_failed(
        &attempt,
        Cause::Connect,
        "the egress proxy answered 403 to CONNECT",
    );
    let gone = refusing.address.port();
    drop(refusing);
    let client = through(gone, 443, &authority, &answers);
    let attempt = post(&client, &destination).await;
    assert_failed(&attempt, Cause::Connect, "egress proxy: 127.0.0.1");
}

#[test]
fn a_proxy_url_that_cannot_be_used_is_refused_without_showing_a_password() {
    for url in [
        "https://proxy:3128",
        "socks5://proxy:1080",
        "proxy:3128",
        "http://user:geheim@proxy:3128",
        "http://proxy:3128/path",
        "",
    ] {
        let egress = Egress {
            proxy: Some(url.to_owned()),
            extra_ca: None,
        };
        let guard = Guard::new(GuardSettings::default());
        let error = Connector::new(guard, Limits::default(), &egress).unwrap_err();
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
}

/// Runs another test of this binary with proxies in its environment.
#[tokio::test]
async fn proxies_of_the_environment_are_not_used() {
    let proxy = Receiver::answering(OK).await;
    let url = format!("http://{}", proxy.address);
    let run = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        for name in [
            "HTTP_PROXY",
            "http_proxy",
            "HTTPS_PROXY",
            "https_proxy",
            "ALL_PROXY",
            "all_proxy",
        ] {
            command.env(name, &url);
        }
        let tests = [
            "requests::a_request_is_a_post_of_the_body_with_its_headers",
            "tls::an_endpoint_with_a_good_certificate_gets_the_request",
        ];
        let output = command.args(["--exact"]).args(tests).output().unwrap();
        (
            output.status,
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    });
    let (status, output) = run.await.unwrap();
    assert!(status.success(), "{output}");
    assert!(output.contains("2 passed"), "{output}");
    assert_eq!(proxy.connections(), 0);
}
