use domain::record::header;
use domain::{DeadLetterReason, EndpointId, EventKind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::bed::{Bed, DEAD_LETTER, failure, ids, until};

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_tells_what_happened_and_holds_the_envelope_as_it_was_sent() {
    let bed = Bed::new();
    let endpoint = EndpointId::generate();
    let failed = failure(endpoint, 2_000);
    bed.write(&failed).await;
    let list = bed.start().await;

    let (items, _) = list.page("").await;
    let single = list.call(Method::GET, &failed.path(), "shop").await;

    let envelope: Value = serde_json::from_slice(&failed.value).unwrap();
    let expected = json!({
        "id": failed.id(), "event_id": failed.event.id, "event": "rating_submitted",
        "endpoint_id": endpoint, "reason": "attempts_exhausted", "attempts": 6,
        "last_status": 503, "last_error": null, "first_attempt_at": "1970-01-01T00:00:01Z",
        "failed_at": "1970-01-01T00:00:02Z", "payload": envelope,
    });
    assert_eq!(items, vec![expected.clone()]);
    assert_eq!((single.status, single.body), (200, expected));
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_choose_by_endpoint_event_reason_and_time() {
    let bed = Bed::new();
    let (one, two) = (EndpointId::generate(), EndpointId::generate());
    let old = failure(one, 1_000);
    let other_event = failure(two, 2_000).with_event(EventKind::NewFeedback);
    let gone = failure(two, 3_000).because(DeadLetterReason::EndpointGone);
    for failure in [&old, &other_event, &gone] {
        bed.write(failure).await;
    }
    let list = bed.start().await;

    let [old, other_event, gone] = [old, other_event, gone].map(|it| it.id().to_string());
    let all = vec![old.clone(), other_event.clone(), gone.clone()];
    for (query, expected) in [
        (String::new(), all),
        (format!("endpoint={one}"), vec![old.clone()]),
        ("event=new_feedback".to_owned(), vec![other_event.clone()]),
        ("reason=endpoint_gone".to_owned(), vec![gone.clone()]),
        (
            "since=1970-01-01T00:00:02Z".to_owned(),
            vec![other_event.clone(), gone.clone()],
        ),
        ("until=1970-01-01T00:00:02Z".to_owned(), vec![old]),
        (
            format!("endpoint={two}&until=1970-01-01T00:00:03Z"),
            vec![other_event],
        ),
        (format!("endpoint={}", EndpointId::generate()), vec![]),
    ] {
        assert_eq!(list.ids(&query).await, expected, "{query}");
    }
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_keeps_the_cursor_sees_each_failure_once() {
    let bed = Bed::new();
    let endpoint = EndpointId::generate();
    let failures: Vec<_> = (0..5).map(|n| failure(endpoint, n)).collect();
    for failure in &failures {
        bed.write(failure).await;
    }
    let list = bed.start().await;

    let mut seen = Vec::new();
    let mut cursor = String::from("0");
    loop {
        let (items, next) = list.page(&format!("limit=2&cursor={cursor}")).await;
        cursor = next;
        if items.is_empty() {
            break;
        }
        seen.extend(ids(&items));
    }
    let expected: Vec<_> = failures.iter().map(|it| it.id().to_string()).collect();
    assert_eq!(seen, expected);

    // One fails again after a re-send: a new failure, and the only new one.
    bed.write(&failures[1]).await;
    let query = format!("cursor={cursor}");
    until("it is on the list again", async || {
        list.ids(&query).await == [failures[1].id().to_string()]
    })
    .await;
    assert_eq!(list.ids("").await.len(), 5);
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_come_first_where_asked_for_and_the_cursor_goes_back_to_the_oldest() {
    let bed = Bed::new();
    let endpoint = EndpointId::generate();
    let mut expected = Vec::new();
    for at in 0..5 {
        let failed = failure(endpoint, at);
        bed.write(&failed).await;
        expected.insert(0, failed.id().to_string());
    }
    let list = bed.start().await;

    let (items, mut cursor) = list.page("order=newest&limit=2").await;
    let mut seen = ids(&items);
    // What fails meanwhile stands before the first page and moves nothing.
    bed.write(&failure(endpoint, 9)).await;
    list.has(6).await;
    loop {
        let query = format!("order=newest&limit=2&cursor={cursor}");
        let (items, next) = list.page(&query).await;
        if items.is_empty() {
            break;
        }
        seen.extend(ids(&items));
        cursor = next;
    }

    assert_eq!(seen, expected);
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_takes_the_filters_of_the_list() {
    let bed = Bed::new();
    let endpoint = EndpointId::generate();
    for (account, at) in [("shop", 1), ("shop", 2), ("other", 3)] {
        bed.write(&failure(endpoint, at).of(account)).await;
    }
    bed.write(&failure(EndpointId::generate(), 4)).await;
    let list = bed.start().await;

    for (token, query, expected) in [
        ("shop", String::new(), 3),
        ("shop", format!("endpoint={endpoint}"), 2),
        ("shop", "until=1970-01-01T00:00:00.002Z".to_owned(), 1),
        ("operator", format!("endpoint={endpoint}"), 3),
        ("operator", "account=other".to_owned(), 1),
    ] {
        let path = format!("/webhooks/failed/count?{query}");
        let reply = list.call(Method::GET, &path, token).await;
        assert_eq!(reply.body, json!({"count": expected}), "{token} {query}");
    }
    for query in ["limit=1", "cursor=0", "account=shop"] {
        let path = format!("/webhooks/failed/count?{query}");
        assert_eq!(list.call(Method::GET, &path, "shop").await.status, 422);
    }
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_passes_what_the_filter_leaves_out() {
    let bed = Bed::new();
    for at in 0..3 {
        bed.write(&failure(EndpointId::generate(), at)).await;
    }
    let list = bed.start().await;

    let (items, cursor) = list.page("reason=expired").await;

    assert!(items.is_empty());
    let (items, same) = list.page(&format!("cursor={cursor}")).await;
    assert!(items.is_empty(), "the cursor went on to the end");
    assert_eq!(same, cursor);
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tombstone_takes_an_entry_off() {
    let bed = Bed::new();
    let failed = failure(EndpointId::generate(), 1);
    bed.write(&failed).await;
    let list = bed.start().await;
    list.has(1).await;

    let key = failed.id().to_string();
    bed.record(&key, None, &vec![], 2).await;

    list.has(0).await;
    assert_eq!(
        list.call(Method::GET, &failed.path(), "shop").await.status,
        404
    );
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_shown_to_operators_only() {
    let bed = Bed::new();
    let key = "feedback.events.2.41";
    let headers = vec![
        (header::ACCOUNT, "shop".to_owned()),
        (header::REASON, "undecodable".to_owned()),
        (header::LAST_ERROR, "the value is no envelope".to_owned()),
    ];
    bed.record(key, Some(b"\xff not JSON"), &headers, 5).await;
    let mut broken = failure(EndpointId::generate(), 6);
    broken.value = b"{\"event\":\"rating_submitted\"}".to_vec();
    bed.write(&broken).await;
    let mut exchanged = failure(EndpointId::generate(), 7);
    exchanged.value = failure(EndpointId::generate(), 7).value;
    bed.write(&exchanged).await;
    let list = bed.start().await;

    let reply = list.call(Method::GET, "/webhooks/failed", "operator").await;

    let items = reply.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 3, "{items:?}");
    let expected = json!({
        "id": key, "event_id": null, "event": null, "endpoint_id": null,
        "reason": "undecodable", "attempts": 0, "last_status": null,
        "last_error": "the value is no envelope", "first_attempt_at": null,
        "failed_at": "1970-01-01T00:00:00.005Z", "payload": null,
        "payload_base64": "/yBub3QgSlNPTg==", "account": "shop",
    });
    assert_eq!(items[0], expected);
    assert_eq!(items[1]["id"], broken.id().to_string());
    assert_eq!(items[1]["reason"], "undecodable");
    assert_eq!(items[1]["payload"], Value::Null);
    assert_eq!(items[2]["id"], exchanged.id().to_string());
    assert_eq!(items[2]["reason"], "undecodable");
    assert!(list.ids("").await.is_empty());
    let path = format!("/webhooks/failed/{key}");
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/resend")),
    ] {
        assert_eq!(list.call(method, &path, "shop").await.status, 404);
    }

    let resent = list
        .call(Method::POST, &format!("{path}/resend"), "operator")
        .await;
    assert_eq!(resent.status, 409, "{resent:?}");
    let discarded = list.call(Method::DELETE, &path, "operator").await;
    assert_eq!(discarded.status, 204);
    assert!(bed.read(DEAD_LETTER).last().unwrap().value.is_none());
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_parameters_are_refused_by_name() {
    let bed = Bed::new();
    let list = bed.start().await;
    for (query, name) in [
        ("endpoint=ep_1", "endpoint"),
        ("event=rating", "event"),
        ("reason=none", "reason"),
        ("since=yesterday", "since"),
        ("until=2024-06-15T14:32:00+02:00", "until"),
        (
            "since=2024-01-02T00:00:00Z&until=2024-01-01T00:00:00Z",
            "until",
        ),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("order=random", "order"),
        ("cursor=-1", "cursor"),
        ("cursor=abc", "cursor"),
        ("cursor=1000000", "cursor"),
        ("account=shop", "account"),
        ("page=2", "page"),
        ("limit=1&limit=2", "limit"),
    ] {
        let path = format!("/webhooks/failed?{query}");
        let reply = list.call(Method::GET, &path, "shop").await;
        assert_eq!(
            (reply.status, reply.kind.as_str()),
            (422, "application/problem+json"),
            "{query}"
        );
        let errors = reply.body["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{query}: {errors:?}");
        assert_eq!(errors[0]["path"], name, "{query}");
    }
    let path = "/webhooks/failed?account=shop";
    assert_eq!(list.call(Method::GET, path, "operator").await.status, 200);
    list.stop().await;
}
