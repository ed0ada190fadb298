use domain::{DeadLetterReason, EndpointId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::bed::{Bed, DEAD_LETTER, Failure, JOBS, RESEND, failure, until};

/// Writes so many failures of the account `shop`.
async fn fail(bed: &Bed, count: i64) -> Vec<Failure> {
    let mut written = Vec::new();
    for at in 1..=count {
        written.push(failure(EndpointId::generate(), at));
        bed.write(written.last().unwrap()).await;
    }
    written
}

fn everything(action: &str) -> Value {
    json!({"action": action, "filter": {}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_what_would_be_moved_and_writes_nothing() {
    let bed = Bed::new();
    let two = EndpointId::generate();
    fail(&bed, 2).await;
    let gone = failure(two, 10).because(DeadLetterReason::EndpointGone);
    bed.write(&gone).await;
    bed.write(&failure(two, 11).of("other")).await;
    bed.record("feedback.events.0.1", Some(b"/ no JSON"), &vec![], 12)
        .await;
    let list = bed.start().await;

    let ids = json!([gone.id(), "no such id"]);
    for (token, action, filter, count, skipped) in [
        ("shop", "resend", json!({}), 3, 0),
        ("shop", "discard", json!({"endpoint": two}), 1, 0),
        ("shop", "resend", json!({"reason": "endpoint_gone"}), 1, 0),
        ("shop", "resend", json!({"event": "new_feedback"}), 0, 0),
        (
            "shop",
            "resend",
            json!({"since": "1970-01-01T00:00:00.002Z"}),
            2,
            0,
        ),
        (
            "shop",
            "resend",
            json!({"until": "1970-01-01T00:00:00.002Z"}),
            1,
            0,
        ),
        ("shop", "resend", json!({"ids": ids}), 1, 0),
        ("other", "resend", json!({"ids": ids}), 0, 0),
        ("operator", "resend", json!({"account": "other"}), 1, 0),
        ("operator", "resend", json!({}), 4, 1),
        ("operator", "discard", json!({}), 5, 0),
    ] {
        let body = json!({"action": action, "filter": filter, "dry_run": true});
        let reply = list.post("/webhooks/resends", &body, token).await;
        assert_eq!(reply.status, 200, "{body}: {reply:?}");
        let expected = json!({"count": count, "skipped": skipped});
        assert_eq!(reply.body, expected, "{token} {body}");
    }
    assert!(bed.read(JOBS).is_empty());
    assert!(bed.audit().is_empty());
    list.has(3).await;
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_moves_what_matches_and_nothing_else() {
    let bed = Bed::new();
    let endpoint = EndpointId::generate();
    let others = fail(&bed, 2).await;
    let mut wanted = Vec::new();
    for at in 10..13 {
        let failed = failure(endpoint, at);
        bed.write(&failed).await;
        wanted.push(failed.id().to_string());
    }
    bed.write(&failure(endpoint, 20).of("other")).await;
    let list = bed.start().await;

    let order = json!({"action": "resend", "filter": {"endpoint": endpoint}});
    let job = list.job(&order, "shop").await;

    let expected = json!({
        "id": job["id"], "action": "resend", "filter": {"endpoint": endpoint},
        "account": "shop", "state": "done", "total": 3, "moved": 3, "skipped": 0,
        "started_at": job["started_at"], "finished_at": job["finished_at"],
        "started_by": "shop", "error": null,
    });
    assert_eq!(job, expected);
    assert!(job["finished_at"].is_string());
    let others: Vec<_> = others.iter().map(|it| it.id().to_string()).collect();
    assert_eq!(list.ids("").await, others);
    let sent = bed.read(RESEND);
    let sent: Vec<_> = sent
        .iter()
        .map(|it| format!("{}.{}", it.headers["ce_id"], it.key))
        .collect();
    assert_eq!(sent, wanted);
    let (key, audit) = bed.audit().pop().unwrap();
    assert_eq!(key, "shop");
    assert_eq!(audit["action"], "resend_started");
    assert_eq!(audit["subject"], job["id"]);
    assert_eq!(audit["token"], "shop");
    assert_eq!(
        audit["detail"],
        format!("3 deliveries: endpoint={endpoint}")
    );
    let (_, metrics) = list.admin("/metrics").await;
    for line in [
        "feedbackpro_dlq_consumer_jobs_running 0",
        "feedbackpro_dlq_consumer_jobs_ended_total{action=\"resend\",state=\"done\"} 1",
        "feedbackpro_dlq_consumer_job_entries_total{action=\"resend\",outcome=\"moved\"} 3",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_has_done_nothing_that_the_list_does_not_show() {
    let bed = Bed::new();
    fail(&bed, 2).await;
    let list = bed.start().await;

    let index = rusqlite::Connection::open(&bed.index).unwrap();
    index.execute_batch("BEGIN IMMEDIATE").unwrap();
    let reply = list
        .post("/webhooks/resends", &everything("resend"), "shop")
        .await;
    assert_eq!(reply.status, 202, "{reply:?}");
    let none_runs = "feedbackpro_dlq_consumer_jobs_running 0\n";
    let written =
        async || !bed.read(RESEND).is_empty() && list.admin("/metrics").await.1.contains(none_runs);
    until("the job's end is on its topic", written).await;

    let job = list.call(Method::GET, &reply.location, "shop").await.body;
    assert_eq!(
        (&job["state"], &job["moved"]),
        (&json!("running"), &json!(0))
    );
    let jobs = list.call(Method::GET, "/webhooks/resends", "shop").await;
    assert_eq!(jobs.body["items"], json!([job]));
    index.execute_batch("ROLLBACK").unwrap();
    let done = async || {
        let job = list.call(Method::GET, &reply.location, "shop").await.body;
        job["state"] == "done" && job["moved"] == 2
    };
    until("the job is done", done).await;
    assert!(list.ids("").await.is_empty());
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selection_moves_only_what_it_names() {
    let bed = Bed::new();
    let failed = fail(&bed, 3).await;
    let foreign = failure(EndpointId::generate(), 9).of("other");
    bed.write(&foreign).await;
    let list = bed.start().await;

    let ids = [failed[0].id(), failed[2].id(), foreign.id()];
    let order = json!({"action": "discard", "filter": {"ids": ids}});
    let job = list.job(&order, "shop").await;

    assert_eq!((&job["total"], &job["moved"]), (&json!(2), &json!(2)));
    assert_eq!(list.ids("").await, [failed[1].id().to_string()]);
    assert!(bed.read(RESEND).is_empty());
    let other = list.call(Method::GET, "/webhooks/failed", "other").await;
    assert_eq!(other.body["items"].as_array().unwrap().len(), 1);
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_passed_over_by_a_resend_and_discarded_by_operators() {
    let bed = Bed::new();
    fail(&bed, 2).await;
    let headers = vec![("account", "shop".to_owned())];
    bed.record("feedback.events.0.1", Some(b"/ no JSON"), &headers, 5)
        .await;
    let list = bed.start().await;

    let resent = list.job(&everything("resend"), "operator").await;
    let left = list.call(Method::GET, "/webhooks/failed", "operator").await;
    let by_shop = list.job(&everything("discard"), "shop").await;
    let discarded = list.job(&everything("discard"), "operator").await;

    let counts =
        |job: &Value| [&job["total"], &job["moved"], &job["skipped"]].map(Value::to_string);
    assert_eq!(counts(&resent), ["3", "2", "1"], "{resent}");
    assert_eq!(resent["account"], Value::Null);
    assert_eq!(left.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(counts(&by_shop), ["0", "0", "0"]);
    assert_eq!(counts(&discarded), ["1", "1", "0"]);
    assert!(bed.read(DEAD_LETTER).last().unwrap().value.is_none());
    let keys: Vec<_> = bed.audit().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["", "shop", ""]);
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_newest_first_also_after_a_restart() {
    let bed = Bed::new();
    let list = bed.start().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(
            0,
            list.job(&everything("resend"), "shop").await["id"].clone(),
        );
    }
    list.job(&everything("resend"), "other").await;
    list.stop().await;
    let list = bed.start().await;

    let mut seen = Vec::new();
    let mut path = "/webhooks/resends?limit=2".to_owned();
    loop {
        let page = list.call(Method::GET, &path, "shop").await.body;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|job| job["id"].clone()));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/webhooks/resends?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_has_ended_is_not_cancelled() {
    let bed = Bed::new();
    fail(&bed, 1).await;
    let list = bed.start().await;
    let job = list.job(&everything("resend"), "shop").await;

    let path = format!("/webhooks/resends/{}", job["id"].as_str().unwrap());
    let reply = list.call(Method::DELETE, &path, "shop").await;

    assert_eq!(reply.status, 409, "{reply:?}");
    assert_eq!(list.call(Method::GET, &path, "shop").await.body, job);
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_an_account_are_kept_up_to_a_hundred() {
    let bed = Bed::new();
    let list = bed.start().await;
    let order = everything("resend");
    let first = list.post("/webhooks/resends", &order, "shop").await;
    for _ in 0..101 {
        let wait = async || list.post("/webhooks/resends", &order, "shop").await.status == 202;
        until("a job is started", wait).await;
    }

    let mut count = 0;
    let kept = async || {
        let page = list
            .call(Method::GET, "/webhooks/resends?limit=100", "shop")
            .await
            .body;
        count = page["items"].as_array().unwrap().len();
        let running = page["items"].as_array().unwrap();
        running.iter().all(|job| job["state"] == "done") && page["next_cursor"].is_null()
    };
    until("all have ended", kept).await;
    assert_eq!(count, 100);
    let gone = list.call(Method::GET, &first.location, "shop").await;
    assert_eq!(gone.status, 404);
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_orders_are_refused_by_name_and_start_nothing() {
    let bed = Bed::new();
    fail(&bed, 1).await;
    let list = bed.start().await;
    let many: Vec<String> = (0..1_001).map(|number| number.to_string()).collect();
    let long = "x".repeat(140_000);
    let since = json!({"since": "2024-01-02T00:00:00Z", "until": "2024-01-01T00:00:00Z"});
    for (body, path) in [
        (json!({"action": "resend", "filter": {}, "x": 1}), "$.x"),
        (json!({"action": "resend"}), "$.filter"),
        (json!({"filter": {}}), "$.action"),
        (json!({"action": "send", "filter": {}}), "$.action"),
        (json!({"action": "resend", "filter": []}), "$.filter"),
        (
            json!({"action": "resend", "filter": {"endpont": 1}}),
            "$.filter.endpont",
        ),
        (
            json!({"action": "resend", "filter": {"endpoint": "ep_1"}}),
            "$.filter.endpoint",
        ),
        (
            json!({"action": "resend", "filter": {"account": "shop"}}),
            "$.filter.account",
        ),
        (
            json!({"action": "resend", "filter": {"ids": []}}),
            "$.filter.ids",
        ),
        (
            json!({"action": "resend", "filter": {"ids": many}}),
            "$.filter.ids",
        ),
        (
            json!({"action": "resend", "filter": {"ids": [long]}}),
            "$.filter.ids",
        ),
        (
            json!({"action": "resend", "filter": since}),
            "$.filter.until",
        ),
        (
            json!({"action": "resend", "filter": {}, "dry_run": 1}),
            "$.dry_run",
        ),
    ] {
        let reply = list.post("/webhooks/resends", &body, "shop").await;
        assert_eq!(
            (reply.status, reply.kind.as_str()),
            (422, "application/problem+json"),
            "{reply:?}"
        );
        assert_eq!(reply.body["errors"][0]["path"], path, "{reply:?}");
    }
    let large = json!({"action": "resend", "filter": {"ids": ["x".repeat(300_000)]}});
    assert_eq!(
        list.post("/webhooks/resends", &large, "shop").await.status,
        413
    );
    for query in ["limit=0", "limit=101", "cursor=job_1", "order=oldest"] {
        let path = format!("/webhooks/resends?{query}");
        assert_eq!(
            list.call(Method::GET, &path, "shop").await.status,
            422,
            "{query}"
        );
    }
    assert!(bed.read(JOBS).is_empty());
    list.has(1).await;
    list.stop().await;
}
