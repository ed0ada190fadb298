//! Bulk jobs and the filter they are started with.

use domain::{FailedFilter, Job, JobAction, JobId, JobState, MAX_SELECTED, NotAFilter, Timestamp};
use serde_json::{Value, json};

fn job() -> Job {
    Job {
        id: JobId::generate(),
        action: JobAction::Resend,
        filter: FailedFilter::default(),
        account: Some("shop".parse().unwrap()),
        unreadable: false,
        state: JobState::Running,
        total: 10,
        moved: 0,
        skipped: 0,
        started_at: Timestamp::from_millis(0),
        finished_at: None,
        started_by: "shop-backend".to_owned(),
        error: None,
        next: 0,
        end: 500,
    }
}

#[test]
fn a_job_goes_on_where_its_record_says() {
    let running = job().after(3, 1, 120).after(2, 0, 300);
    let record = serde_json::to_vec(&running).unwrap();
    let read: Job = serde_json::from_slice(&record).unwrap();
    assert_eq!(read, running);
    assert!(read.is_running());
    assert_eq!((read.moved, read.skipped, read.next), (5, 1, 300));
}

#[test]
fn what_a_done_job_did_not_move_had_left_the_list_or_cannot_be_sent() {
    let now = Timestamp::from_millis(9);
    let done = job().after(6, 1, 120).done(now);
    assert_eq!((done.total, done.moved, done.skipped), (10, 6, 4));
    assert_eq!((done.state, done.finished_at), (JobState::Done, Some(now)));
    assert_eq!(done.next, done.end);
}

#[test]
fn a_cancelled_and_a_failed_job_keep_what_they_had_done() {
    let now = Timestamp::from_millis(9);
    let half = job().after(5, 0, 120);
    for ended in [
        half.clone().cancelled(now),
        half.failed(now, "too large".to_owned()),
    ] {
        assert!(!ended.is_running());
        assert_eq!((ended.moved, ended.skipped, ended.next), (5, 0, 120));
        assert_eq!(ended.finished_at, Some(now));
    }
}

#[test]
fn a_job_that_another_version_wrote_is_not_read_as_something_else() {
    let mut record = serde_json::to_value(job()).unwrap();
    record["filter"]["segment"] = json!("Detractor");
    assert!(serde_json::from_value::<Job>(record.clone()).is_err());
    record["filter"] = json!({});
    assert!(serde_json::from_value::<Job>(record.clone()).is_ok());
    record["state"] = json!("paused");
    assert!(serde_json::from_value::<Job>(record).is_err());
}

#[test]
fn a_filter_is_refused_that_nobody_can_mean() {
    let check = |filter: Value| {
        let filter: FailedFilter = serde_json::from_value(filter).unwrap();
        filter.check()
    };
    let (early, late) = ("2024-06-15T14:32:00Z", "2024-06-15T14:32:01Z");
    assert_eq!(check(json!({})), Ok(()));
    assert_eq!(check(json!({"since": early, "until": late})), Ok(()));
    assert_eq!(check(json!({"since": early, "until": early})), Ok(()));
    assert_eq!(
        check(json!({"since": late, "until": early})),
        Err(NotAFilter::UntilBeforeSince)
    );
    let ids = |count: usize| json!({"ids": vec!["evt"; count]});
    assert_eq!(check(ids(0)), Err(NotAFilter::Selected(0)));
    assert_eq!(check(ids(MAX_SELECTED)), Ok(()));
    assert_eq!(
        check(ids(MAX_SELECTED + 1)),
        Err(NotAFilter::Selected(MAX_SELECTED + 1))
    );
}

#[test]
fn a_filter_says_in_words_what_it_chooses() {
    let filter = |json: Value| serde_json::from_value::<FailedFilter>(json).unwrap();
    assert_eq!(filter(json!({})).to_string(), "all");
    let all = json!({
        "account": "shop", "endpoint": "ep_0190bf5ce3807a6b9d2c8f3a2c91e047",
        "event": "new_feedback", "reason": "expired", "since": "2024-06-15T14:32:00Z",
        "until": "2024-06-16T14:32:00Z", "ids": ["a", "b"],
    });
    assert_eq!(
        filter(all).to_string(),
        "account=shop endpoint=ep_0190bf5ce3807a6b9d2c8f3a2c91e047 event=new_feedback \
         reason=expired since=2024-06-15T14:32:00Z until=2024-06-16T14:32:00Z selected=2"
    );
}
