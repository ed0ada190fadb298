//! Deliveries that begin again, records that come late, and who may see what.

use std::time::Duration;

use console::attempts::{Attempts, DeliveryState, Filter, Progress, Scope};
use domain::{AfterAttempt, AttemptRecord, DeadLetterReason, Timestamp};

use crate::bed::{Bed, account, before, deferred, endpoint, record, retry};

fn given_up() -> AfterAttempt {
    AfterAttempt::DeadLetter {
        reason: DeadLetterReason::AttemptsExhausted,
    }
}

#[tokio::test]
async fn a_delivery_that_is_sent_again_stands_as_its_new_attempts_say() {
    let now = Timestamp::now();
    let ago = |seconds| before(now, Duration::from_secs(seconds));
    let mut bed = Bed::new(100);
    let exhausted = AttemptRecord {
        attempt: 6,
        ..record(1, 1, ago(50), given_up())
    };
    bed.take(
        &[record(1, 1, ago(60), retry(ago(60), "15s")), exhausted],
        10,
        now,
    );
    let list = bed.list(&Scope::All, Filter::default(), 10).await;
    assert_eq!(DeliveryState::after(&list[0].after), DeliveryState::Failed);

    // It begins at attempt 1 again, and keeps its place in the list.
    bed.take(&[record(1, 1, ago(20), retry(ago(20), "15s"))], 10, now);
    bed.take(
        &[AttemptRecord {
            attempt: 2,
            ..record(1, 1, ago(5), AfterAttempt::Delivered)
        }],
        10,
        now,
    );
    let list = bed.list(&Scope::All, Filter::default(), 10).await;
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].after, AfterAttempt::Delivered);
    assert_eq!((list[0].attempts, list[0].last_status), (4, Some(200)));
    assert_eq!((list[0].first_at, list[0].last_at), (ago(60), ago(5)));
    let delivery = bed
        .attempts
        .delivery(Scope::All, list[0].id)
        .await
        .unwrap()
        .unwrap();
    let attempts: Vec<u32> = delivery
        .records
        .iter()
        .map(|record| record.attempt)
        .collect();
    assert_eq!(attempts, [1, 6, 1, 2]);
}

#[tokio::test]
async fn a_record_that_comes_late_changes_the_time_line_and_not_the_state() {
    let now = Timestamp::now();
    let ago = |seconds| before(now, Duration::from_secs(seconds));
    let mut bed = Bed::new(100);
    bed.take(&[record(1, 1, ago(5), AfterAttempt::Delivered)], 10, now);
    bed.take(&[record(1, 1, ago(20), retry(ago(20), "15s"))], 10, now);
    let id = record(1, 1, now, AfterAttempt::Delivered).delivery;
    let delivery = bed
        .attempts
        .delivery(Scope::All, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(delivery.summary.after, AfterAttempt::Delivered);
    assert_eq!(delivery.records[0].at, ago(20));
    assert_eq!(delivery.summary.attempts, 2);
    let waiting = bed.attempts.waiting(Scope::All, None).await.unwrap();
    assert!(waiting.endpoints.is_empty());
}

#[tokio::test]
async fn of_two_records_of_the_same_moment_the_later_on_the_topic_counts() {
    let now = Timestamp::now();
    let mut bed = Bed::new(100);
    let records = [
        record(1, 1, now, deferred(now, "15s")),
        record(1, 1, now, given_up()),
    ];
    bed.take(&records, 10, now);
    let list = bed.list(&Scope::All, Filter::default(), 10).await;
    assert_eq!(list[0].after, given_up());
    assert_eq!(list[0].attempts, 1);
}

#[tokio::test]
async fn an_account_sees_its_own_even_where_ids_are_the_same() {
    let now = Timestamp::now();
    let mut bed = Bed::new(100);
    let own = record(1, 1, now, AfterAttempt::Delivered);
    let others = AttemptRecord {
        account: account(2),
        ..record(1, 1, now, given_up())
    };
    bed.take(&[own.clone(), others], 10, now);
    for (number, after) in [(1, AfterAttempt::Delivered), (2, given_up())] {
        let scope = Scope::Account(account(number));
        let list = bed.list(&scope, Filter::default(), 10).await;
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].after, after);
        let found = bed
            .attempts
            .delivery(scope.clone(), own.delivery)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.records.len(), 1);
        assert_eq!(found.summary.account, account(number));
        let by_endpoint = Filter {
            endpoint: Some(endpoint(1)),
            ..Filter::default()
        };
        assert_eq!(bed.list(&scope, by_endpoint, 10).await, list);
    }
    assert_eq!(bed.list(&Scope::All, Filter::default(), 10).await.len(), 2);
}

#[tokio::test]
async fn a_long_time_line_shows_its_latest_part_and_says_so() {
    let now = Timestamp::now();
    let mut bed = Bed::new(10_000);
    let records: Vec<AttemptRecord> = (0..1_500_u64)
        .map(|number| {
            let at = before(now, Duration::from_secs(1_500 - number));
            record(1, 1, at, deferred(at, "10m"))
        })
        .collect();
    bed.take(&records, 500, now);
    let found = bed
        .attempts
        .delivery(Scope::All, records[0].delivery)
        .await
        .unwrap()
        .unwrap();
    assert!(found.is_cut);
    assert_eq!(found.records, records[500..]);
}

#[tokio::test]
async fn a_cursor_of_another_kind_is_refused() {
    for wrong in [
        "",
        "-1",
        "xyz",
        "ffffffffffffffff",
        "00000000000000001",
        "+1",
    ] {
        assert!(
            wrong.parse::<console::attempts::Cursor>().is_err(),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_an_error_and_not_an_empty_list() {
    let attempts = Attempts::of_file(std::path::Path::new("/nowhere/attempts.sqlite"));
    assert_eq!(attempts.progress(), Progress::Current);
    let asked = attempts
        .deliveries(Scope::All, Filter::default(), None, 10)
        .await;
    asked.unwrap_err();
}
