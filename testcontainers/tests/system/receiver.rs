//! The receiver of the test bed itself.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use e2e::{Answer, Receiver};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(30);

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.no_proxy().build().expect("a client can be made")
}

async fn post(receiver: &Receiver, path: &str, id: &str) -> reqwest::Response {
    let request = client()
        .post(receiver.url(path))
        .header("webhook-id", id)
        .body("{}");
    request.send().await.expect("the receiver answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_answered_200_and_remembered_as_it_came() {
    let receiver = Receiver::start();

    let answer = post(&receiver, "/a?b=c", "evt_1").await;

    assert_eq!(answer.status(), 200);
    let got = receiver.wait_for_count("/a", 1, SOON).await;
    assert_eq!(got[0].path, "/a?b=c");
    assert_eq!(got[0].webhook_id(), "evt_1");
    assert_eq!(&got[0].body[..], b"{}");
    assert_eq!(
        (got[0].attempt, got[0].in_flight, got[0].status()),
        (1, 1, Some(200))
    );
    assert_eq!(
        receiver.look(|log| (log.total(), log.events("/a"), log.repeats("/a"))),
        (1, 1, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_prefix_decides() {
    let receiver = Receiver::start();
    receiver.answer("/a", Answer::Status(500));
    receiver.answer("/a/b", Answer::Status(410));

    assert_eq!(post(&receiver, "/a/b/c", "1").await.status(), 410);
    assert_eq!(post(&receiver, "/a/c", "1").await.status(), 500);
    assert_eq!(post(&receiver, "/", "1").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequence_goes_by_the_attempts_of_each_event() {
    let receiver = Receiver::start();
    receiver.answer("/a", Answer::failing(2, 503));

    for (id, status) in [
        ("1", 503),
        ("2", 503),
        ("1", 503),
        ("1", 200),
        ("1", 200),
        ("2", 503),
    ] {
        assert_eq!(post(&receiver, "/a", id).await.status(), status, "{id}");
    }
    assert_eq!(receiver.look(|log| log.repeats("/a")), 4);
    assert_eq!(receiver.look(|log| log.attempts("/a", "1").len()), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_after_its_time_and_a_redirect_names_its_target() {
    let receiver = Receiver::start();
    receiver.answer("/slow", Answer::after(Duration::from_millis(200), 204));
    receiver.answer(
        "/moved",
        Answer::Redirect(307, "http://127.0.0.1:1/".to_owned()),
    );

    let start = Instant::now();
    assert_eq!(post(&receiver, "/slow", "1").await.status(), 204);
    assert!(start.elapsed() >= Duration::from_millis(200));
    let moved = post(&receiver, "/moved", "1").await;
    assert_eq!(moved.status(), 307);
    assert_eq!(moved.headers()["location"], "http://127.0.0.1:1/");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_a_hanging_or_dripping_answer_is_noticed() {
    let receiver = Receiver::start();
    receiver.answer("/hang", Answer::Hang);
    receiver.answer("/drip", Answer::DripBody(Duration::from_millis(20)));

    for (path, status) in [("/hang", None), ("/drip", Some(200))] {
        let mut reading = Box::pin(async {
            let mut answer = post(&receiver, path, "1").await;
            while answer.chunk().await.is_ok_and(|chunk| chunk.is_some()) {}
        });
        tokio::select! {
            () = &mut reading => panic!("{path} has ended by itself"),
            _ = receiver.wait_for_count(path, 1, SOON) => {}
        }
        let came = Instant::now();
        let ended = timeout(Duration::from_millis(300), &mut reading).await;
        ended.expect_err("it does not end by itself");
        let stayed = came.elapsed();
        drop(reading);
        let what = format!("{path} has ended");
        let lasted = receiver
            .wait_for(&what, SOON, |log| log.to(path)[0].lasted())
            .await;
        assert!(lasted >= stayed, "{lasted:?}, not {stayed:?}");
        assert_eq!(receiver.look(|log| log.to(path)[0].status()), status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_off_are_errors_at_the_client() {
    let receiver = Receiver::start();
    receiver.answer("/cut", Answer::CloseMidBody);
    receiver.answer("/hang-up", Answer::HangUp);

    let mut cut = post(&receiver, "/cut", "1").await;
    assert_eq!(
        (cut.status().as_u16(), cut.content_length()),
        (200, Some(1000))
    );
    while let Ok(chunk) = cut.chunk().await {
        assert!(chunk.is_some(), "the body ended as if it were whole");
    }
    let hang_up = client().post(receiver.url("/hang-up")).send().await;
    assert!(hang_up.is_err(), "{hang_up:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_its_pace_gets_429_with_retry_after() {
    let receiver = Receiver::start();
    receiver.answer("/a", Answer::PerSecond(2));

    let client = client();
    let mut refused = false;
    e2e::until(
        "one is too many, and a later one is not",
        SOON,
        async || {
            let answer = client.post(receiver.url("/a")).send().await;
            let answer = answer.expect("the receiver answers");
            if answer.status() != 429 {
                return refused.then_some(());
            }
            assert_eq!(answer.headers()["retry-after"], "1");
            refused = true;
            None
        },
    )
    .await;
    let mut seconds: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for request in receiver.look(|log| log.to("/a")) {
        let second = seconds.entry(request.at_millis() / 1000).or_default();
        second.push(request.status());
    }
    for (second, statuses) in seconds {
        for (index, status) in statuses.into_iter().enumerate() {
            let expected = if index < 2 { 200 } else { 429 };
            assert_eq!(status, Some(expected), "request {index} of {second}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_work_at_once_are_counted() {
    let receiver = Receiver::start();
    receiver.answer("/a", Answer::Hang);

    let three = async {
        tokio::join!(
            post(&receiver, "/a", "1"),
            post(&receiver, "/a", "2"),
            post(&receiver, "/a", "3")
        )
    };
    tokio::select! {
        answers = three => panic!("{answers:?}"),
        _ = receiver.wait_for_count("/a", 3, SOON) => {}
    }
    receiver
        .wait_for("all three have ended", SOON, |log| {
            let ended = log
                .to("/a")
                .iter()
                .all(|request| request.lasted().is_some());
            ended.then_some(())
        })
        .await;
    receiver.answer("/a", Answer::Status(200));
    post(&receiver, "/a", "4").await;

    let got = receiver.look(|log| log.to("/a"));
    let in_work: Vec<_> = got.iter().map(|request| request.in_flight).collect();
    assert_eq!(in_work, [1, 2, 3, 1]);
    assert_eq!(receiver.look(|log| log.most_in_flight("/a")), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_are_verified_and_a_wrong_one_is_told() {
    // `plain` was made by `openssl dgst -sha256 -hmac`.
    let receiver = Receiver::start();
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let timestamp = i64::try_from(now.as_secs()).unwrap();
    let body = r#"{"test": 2432232314}"#;
    let standard = standardwebhooks::Webhook::new(secret).unwrap();
    let signature = standard.sign("msg_1", timestamp, body.as_bytes()).unwrap();
    let plain = "sha256=80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c";
    for path in ["/right", "/wrong"] {
        let plain = if path == "/right" { plain } else { "sha256=00" };
        let request = client()
            .post(receiver.url(path))
            .header("webhook-id", "msg_1");
        let request = request.header("webhook-timestamp", timestamp);
        let request = request.header("webhook-signature", format!("v1,b2xk {signature}"));
        let request = request.header("x-feedbackpro-signature", format!("sha256=11,{plain}"));
        request.body(body).send().await.unwrap();
    }

    let got = receiver.wait_for_count("/", 2, SOON).await;
    assert_eq!(got[0].verify(secret), Ok(()));
    assert!(
        got[1]
            .verify(secret)
            .unwrap_err()
            .contains("X-FeedbackPro-Signature")
    );
    assert!(got[0].verify("whsec_AAAA").is_err());
}
