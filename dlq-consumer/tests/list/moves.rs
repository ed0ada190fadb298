use domain::EndpointId;
use domain::record::header;
use reqwest::Method;

use crate::bed::{Bed, DEAD_LETTER, RESEND, failure};

#[tokio::test(flavor = "multi_thread")]
async fn a_resend_begins_the_schedule_anew_with_the_same_bytes_and_ids() {
    let bed = Bed::new();
    let endpoint = EndpointId::generate();
    let failed = failure(endpoint, 1);
    bed.write(&failed).await;
    let list = bed.start().await;

    let path = format!("{}/resend", failed.path());
    let reply = list.call(Method::POST, &path, "shop").await;

    let id = failed.id().to_string();
    assert_eq!(reply.status, 202);
    assert_eq!(reply.body, serde_json::json!({"id": id}));
    assert!(list.ids("").await.is_empty(), "it is off the list at once");
    let sent = bed.read(RESEND);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].key, endpoint.to_string());
    assert_eq!(sent[0].value.as_deref(), Some(failed.value.as_slice()));
    let headers = &sent[0].headers;
    for (name, value) in failed.event.write() {
        assert_eq!(headers[name], value, "{name}");
    }
    assert_eq!(headers[header::ENDPOINT], endpoint.to_string());
    assert_eq!(headers[header::ATTEMPT], "1");
    assert_eq!(headers[header::DEFERRALS], "0");
    assert_eq!(headers[header::SOURCE], "feedback.events/3/17");
    let first_at: i64 = headers[header::FIRST_AT].parse().unwrap();
    assert!(first_at > failed.delivery.first_at.millis());
    for gone in [
        header::REASON,
        header::LAST_STATUS,
        header::LAST_ERROR,
        header::DUE_AT,
    ] {
        assert!(!headers.contains_key(gone), "{gone}");
    }
    let tombstone = bed.read(DEAD_LETTER).pop().unwrap();
    assert_eq!((tombstone.key, tombstone.value), (id, None));
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_for_the_same_entry_at_once_send_it_once() {
    let bed = Bed::new();
    let failed = failure(EndpointId::generate(), 1);
    bed.write(&failed).await;
    let list = bed.start().await;

    let path = format!("{}/resend", failed.path());
    let send = || list.call(Method::POST, &path, "shop");
    let replies = tokio::join!(send(), send(), send(), send(), send(), send());
    let replies = [
        replies.0, replies.1, replies.2, replies.3, replies.4, replies.5,
    ];

    let taken = replies.iter().filter(|it| it.status == 202).count();
    assert_eq!(taken, 1, "{replies:?}");
    let refused = |status| matches!(status, 404 | 409);
    assert!(
        replies
            .iter()
            .all(|it| it.status == 202 || refused(it.status)),
        "{replies:?}"
    );
    assert_eq!(send().await.status, 404, "it has left the list");
    assert_eq!(bed.read(RESEND).len(), 1);
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discarded_entry_is_off_the_list_and_not_sent() {
    let bed = Bed::new();
    let (failed, other) = (
        failure(EndpointId::generate(), 1),
        failure(EndpointId::generate(), 2),
    );
    bed.write(&failed).await;
    bed.write(&other).await;
    let list = bed.start().await;

    assert_eq!(
        list.call(Method::DELETE, &failed.path(), "shop")
            .await
            .status,
        204
    );

    assert_eq!(list.ids("").await, [other.id().to_string()]);
    assert_eq!(
        list.call(Method::DELETE, &failed.path(), "shop")
            .await
            .status,
        404
    );
    assert!(bed.read(RESEND).is_empty());
    let (_, metrics) = list.admin("/metrics").await;
    for line in [
        "feedbackpro_dlq_consumer_entries{reason=\"attempts_exhausted\"} 1",
        "feedbackpro_dlq_consumer_moves_total{action=\"discard\",outcome=\"moved\"} 1",
        "feedbackpro_dlq_consumer_moves_total{action=\"discard\",outcome=\"not_live\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
    list.stop().await;
}
