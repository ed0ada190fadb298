//! Moves against the mock cluster, which takes transactions but neither
//! fences nor aborts: those need a real broker.

#![expect(
    clippy::unwrap_used,
    reason = "helpers fail like the test that calls them"
)]

use std::time::{Duration, Instant};

use kafka::{MoveError, Mover, Record};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

mod mock;
use mock::DEADLINE;

fn resend(key: &str) -> Vec<Record<'static>> {
    let key = key.as_bytes().to_vec();
    vec![
        Record::new("resend", key.clone(), &b"body"[..]).header("account", "acme"),
        Record::tombstone("failed", key),
    ]
}

#[tokio::test]
async fn each_move_gets_the_places_of_its_own_records() {
    let (_cluster, connection) = mock::cluster(&[("resend", 1), ("failed", 1)]);
    let stop = CancellationToken::new();
    let mover = Mover::open(&connection, "move", "mover", &stop)
        .await
        .unwrap();
    let (a, b, c) = tokio::join!(
        mover.move_records(resend("a")),
        mover.move_records(resend("b")),
        mover.move_records(resend("c")),
    );
    for (offset, stored) in (0..).zip([a, b, c]) {
        let stored = stored.unwrap();
        assert_eq!(stored.len(), 2);
        assert!(
            stored.iter().all(|stored| stored.offset == offset),
            "{stored:?}"
        );
    }
    mover.stop(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_move_takes_no_longer_than_its_transaction() {
    let (_cluster, connection) = mock::cluster(&[("resend", 1), ("failed", 1)]);
    let stop = CancellationToken::new();
    let mover = Mover::open(&connection, "move", "mover", &stop)
        .await
        .unwrap();
    mover.move_records(resend("first")).await.unwrap();
    let mut times = Vec::new();
    for _ in 0..10 {
        let start = Instant::now();
        mover.move_records(resend("next")).await.unwrap();
        times.push(start.elapsed());
    }
    // A wait of 100 ms in each would show, however busy the machine is.
    let fastest = times.iter().min().unwrap();
    assert!(*fastest < Duration::from_millis(80), "{times:?}");
}

#[tokio::test]
async fn a_refused_record_fails_its_own_move_only() {
    let (_cluster, connection) = mock::cluster(&[("resend", 1), ("failed", 1)]);
    let stop = CancellationToken::new();
    let mover = Mover::open(&connection, "move", "mover", &stop)
        .await
        .unwrap();
    let too_large = vec![Record::new(
        "resend",
        &b"k"[..],
        vec![0_u8; 4 * 1024 * 1024],
    )];
    let (good, bad, other) = tokio::join!(
        mover.move_records(resend("a")),
        mover.move_records(too_large),
        mover.move_records(resend("b")),
    );
    good.unwrap();
    other.unwrap();
    let error = bad.unwrap_err();
    assert!(matches!(error, MoveError::Refused(_)), "{error}");
}

#[tokio::test]
async fn opening_waits_for_a_broker_until_shutdown() {
    let (cluster, connection) = mock::cluster(&[]);
    cluster.broker_down(1).unwrap();
    let stop = CancellationToken::new();
    let opening = Mover::open(&connection, "move", "mover", &stop);
    tokio::pin!(opening);
    tokio::select! {
        biased;
        outcome = &mut opening => panic!("there is no broker, but {outcome:?}"),
        () = std::future::ready(()) => {}
    }
    stop.cancel();
    let error = timeout(DEADLINE, opening).await.unwrap().unwrap_err();
    assert!(matches!(error, MoveError::Aborted(_)), "{error}");
}
