use domain::{DeadLetterReason, EndpointId};
use reqwest::Method;
use serde_json::Value;

use crate::bed::{Bed, failure, ids};

async fn lines(list: &crate::bed::List, path: &str, token: &str) -> Vec<Value> {
    let reply = list.call(Method::GET, path, token).await;
    assert_eq!(
        (reply.status, reply.kind.as_str()),
        (200, "application/x-ndjson"),
        "{reply:?}"
    );
    let line = |line| serde_json::from_str(line).unwrap();
    reply.text.lines().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_a_line_for_each_entry_that_matches_as_the_list_shows_it() {
    let bed = Bed::new();
    let endpoint = EndpointId::generate();
    // More than are read together.
    for at in 0..1_100 {
        bed.write(&failure(endpoint, at)).await;
    }
    let gone = failure(endpoint, 2_000).because(DeadLetterReason::EndpointGone);
    bed.write(&gone).await;
    bed.write(&failure(endpoint, 3_000).of("other")).await;
    bed.record("feedback.events.0.1", Some(b"/ no JSON"), &vec![], 4_000)
        .await;
    let list = bed.start().await;

    let all = lines(&list, "/webhooks/failed/export", "shop").await;

    let (mut shown, mut cursor) = list.page("limit=500").await;
    for _ in 0..2 {
        let (items, next) = list.page(&format!("limit=500&cursor={cursor}")).await;
        shown.extend(items);
        cursor = next;
    }
    assert_eq!(all.len(), 1_101);
    assert_eq!(all, shown);
    let some = lines(
        &list,
        "/webhooks/failed/export?reason=endpoint_gone",
        "shop",
    )
    .await;
    assert_eq!(ids(&some), [gone.id().to_string()]);
    let none = lines(&list, "/webhooks/failed/export?reason=expired", "shop").await;
    assert!(none.is_empty());
    let everything = lines(&list, "/webhooks/failed/export", "operator").await;
    assert_eq!(everything.len(), 1_103);
    assert!(everything[1_102]["payload_base64"].is_string());
    let path = "/webhooks/failed/export?limit=1";
    assert_eq!(list.call(Method::GET, path, "shop").await.status, 422);
    list.stop().await;
}
