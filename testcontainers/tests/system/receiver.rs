//! The receiver of the test bed itself.

use std::time::{Duration, Instant};

use e2e::{Answer, Receiver};

const SOON: Duration = Duration::from_secs(10);

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
    let patience = Duration::from_millis(300);

    for (path, status) in [("/hang", None), ("/drip", Some(200))] {
        let request = client().post(receiver.url(path)).timeout(patience);
        let mut answer = request.send().await;
        while let Ok(response) = &mut answer {
            match response.chunk().await {
                Ok(chunk) => assert!(chunk.is_some(), "the body has no end"),
                Err(error) => answer = Err(error),
            }
        }
        assert!(answer.unwrap_err().is_timeout());
        let what = format!("{path} has ended");
        let lasted = receiver
            .wait_for(&what, SOON, |log| log.to(path)[0].lasted())
            .await;
        assert!(lasted > patience / 2 && lasted < patience * 4, "{lasted:?}");
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

    // Five within two seconds of the clock: at least one is too many.
    let mut refused = 0;
    for id in 0..5 {
        let answer = post(&receiver, "/a", &id.to_string()).await;
        if answer.status() == 429 {
            assert_eq!(answer.headers()["retry-after"], "1");
            refused += 1;
        }
    }
    assert!((1..=3).contains(&refused), "{refused} refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_work_at_once_are_counted() {
    let receiver = Receiver::start();
    receiver.answer("/a", Answer::after(Duration::from_millis(300), 200));

    tokio::join!(
        post(&receiver, "/a", "1"),
        post(&receiver, "/a", "2"),
        post(&receiver, "/a", "3")
    );

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
