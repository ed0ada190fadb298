use domain::EndpointId;
use domain::record::header;
use reqwest::Method;
use serde_json::{Value, json};

use crate::bed::{Bed, DEAD_LETTER, Failure, List, RESEND, failure};

async fn resend(list: &List, of: &Failure, place: &Value, token: &str) -> u16 {
    let path = format!("/webhooks/deliveries/{}/resend", of.id());
    let reply = list.post(&path, place, token).await;
    if reply.status >= 400 {
        assert_eq!(reply.kind, "application/problem+json");
    } else {
        assert_eq!(reply.body, json!({"id": of.id()}));
    }
    reply.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_did_not_fail_is_sent_from_its_event() {
    let bed = Bed::new();
    let (before, delivered) = (
        failure(EndpointId::generate(), 1),
        failure(EndpointId::generate(), 2),
    );
    bed.publish(&before).await;
    let place = bed.publish(&delivered).await;
    let list = bed.start().await;

    assert_eq!(resend(&list, &delivered, &place, "shop").await, 202);

    let sent = bed.read(RESEND);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].key, delivered.delivery.endpoint.to_string());
    assert_eq!(sent[0].value.as_deref(), Some(delivered.value.as_slice()));
    let headers = &sent[0].headers;
    for (name, value) in delivered.event.write() {
        assert_eq!(headers[name], value, "{name}");
    }
    assert_eq!(headers[header::ATTEMPT], "1");
    let source = format!("feedback.events/0/{}", place["offset"]);
    assert_eq!(headers[header::SOURCE], source);
    assert!(bed.read(DEAD_LETTER).is_empty());
    let (key, audit) = bed.audit().pop().unwrap();
    assert_eq!(key, "shop");
    let expected = json!({
        "at": audit["at"], "account": "shop", "token": "shop", "action": "delivery_resent",
        "subject": delivered.id(), "detail": format!("from {source}"),
    });
    assert_eq!(audit, expected);
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_on_the_failed_list_is_moved_off_it() {
    let bed = Bed::new();
    let failed = failure(EndpointId::generate(), 1);
    let place = bed.publish(&failed).await;
    bed.write(&failed).await;
    let list = bed.start().await;

    assert_eq!(resend(&list, &failed, &place, "shop").await, 202);

    assert!(list.ids("").await.is_empty());
    assert_eq!(bed.read(RESEND).len(), 1);
    let tombstone = bed.read(DEAD_LETTER).pop().unwrap();
    assert_eq!(
        (tombstone.key, tombstone.value),
        (failed.id().to_string(), None)
    );
    // Now it is under way and not on the list: it may be sent once more.
    assert_eq!(resend(&list, &failed, &place, "shop").await, 202);
    assert_eq!(bed.read(RESEND).len(), 2);
    let audit: Vec<_> = bed
        .audit()
        .into_iter()
        .map(|(_, it)| it["detail"].clone())
        .collect();
    assert_eq!(audit[0], "from the failed list: attempts_exhausted");
    assert_eq!(audit.len(), 2);
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_record_another_account_and_none_are_not_sent() {
    let bed = Bed::new();
    let endpoint = EndpointId::generate();
    let (own, next) = (failure(endpoint, 1), failure(endpoint, 2));
    let own_place = bed.publish(&own).await;
    let next_place = bed.publish(&next).await;
    let mut forged = failure(endpoint, 3);
    forged.value = own.value.clone();
    let forged_place = bed.publish(&forged).await;
    let at = |topic: &str, partition: i64, offset: i64| json!({"topic": topic, "partition": partition, "offset": offset});
    let list = bed.start().await;

    for (status, place, why) in [
        (404, next_place, "another event"),
        (404, at("feedback.events", 0, 99), "not written yet"),
        (404, at("feedback.events", 7, 0), "no such partition"),
        (404, at("feedback.events", -1, 0), "no partition"),
        (404, at("feedback.events", 0, -2), "no offset"),
        (422, at("webhooks.endpoints", 0, 0), "no topic of events"),
        (422, at("webhooks.dead-letter", 0, 0), "no topic of events"),
        (
            422,
            at("staging.feedback.events", 0, 0),
            "of another prefix",
        ),
        (
            422,
            json!({"topic": "feedback.events", "partition": 0}),
            "no offset",
        ),
        (
            422,
            json!({"topic": "feedback.events", "partition": "0", "offset": 0}),
            "a text",
        ),
    ] {
        assert_eq!(resend(&list, &own, &place, "shop").await, status, "{why}");
    }
    assert_eq!(
        resend(&list, &forged, &forged_place, "shop").await,
        404,
        "another body"
    );
    assert_eq!(
        resend(&list, &own, &own_place, "other").await,
        404,
        "another account"
    );
    let path = "/webhooks/deliveries/evt_1.ep_1/resend";
    assert_eq!(list.post(path, &own_place, "shop").await.status, 404);
    let get = list.call(Method::GET, path, "shop").await;
    assert_eq!(get.status, 405);
    assert!(bed.read(RESEND).is_empty());
    assert!(bed.audit().is_empty());

    assert_eq!(resend(&list, &own, &own_place, "operator").await, 202);
    let (key, audit) = bed.audit().pop().unwrap();
    assert_eq!(
        (key.as_str(), &audit["token"]),
        ("shop", &json!("operator"))
    );
    let (_, metrics) = list.admin("/metrics").await;
    for line in [
        "feedbackpro_dlq_consumer_lookups_total{outcome=\"found\"} 1",
        "feedbackpro_dlq_consumer_lookups_total{outcome=\"other_topic\"} 3",
        "feedbackpro_dlq_consumer_moves_total{action=\"resend_delivery\",outcome=\"moved\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
    list.stop().await;
}
