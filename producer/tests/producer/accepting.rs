//! What is accepted, and what stands on the topic then.

use serde_json::json;

use crate::harness::{Producer, RATING, reply};

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_event_is_on_the_topic_with_its_key_headers_and_envelope() {
    let producer = Producer::start().await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = producer.post().header("traceparent", trace);
    let request = request.header("content-type", "Application/JSON; charset=utf-8");
    let id = reply(request.body(RATING)).await.id();

    let records = producer.records();
    assert_eq!(records.len(), 1);
    assert_eq!(
        records[0].value,
        format!(
            r#"{{"event":"rating_submitted","id":"{id}","timestamp":"2024-06-15T14:32:00Z","data":{{"customer_id":"cus_9021","email":"anna.mueller@webshop.de","score":4,"product_sku":"BW-440-RED","session_page":"/checkout/thank-you"}}}}"#
        )
    );
    // printf %s shop/cus_9021 | sha256sum, the first 32 digits
    assert_eq!(records[0].key, "c7987ea2c6b4b36291fb04c13b30782d");
    let headers: Vec<(&str, &str)> = records[0]
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        headers,
        [
            ("account", "shop"),
            ("ce_id", id.as_str()),
            ("ce_source", "feedbackpro/producer"),
            ("ce_specversion", "1.0"),
            ("ce_time", "2024-06-15T14:32:00Z"),
            ("ce_type", "rating_submitted"),
            ("traceparent", trace),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_the_four_events_is_accepted_and_gets_null_for_what_is_unknown() {
    let producer = Producer::start().await;
    let events = [
        json!({"event": "new_feedback", "data": {"comment": "Größe passt, danke! 🎉",
            "email": "", "browser_locale": "de-DE", "session_page": "/"}}),
        json!({"event": "rating_submitted", "data": {"score": 1, "product_sku": "A",
            "session_page": "/"}}),
        json!({"event": "nps_calculated", "data": {"segment": "Detractor",
            "response_id": "rsp_1", "session_page": "/konto"}}),
        json!({"event": "widget_dismissed", "data": {"session_duration_seconds": 12,
            "session_page": "/"}}),
    ];
    for event in &events {
        producer.post_json(event.to_string()).await.id();
    }
    let records = producer.records();
    assert_eq!(records.len(), 4);
    for record in records {
        let envelope = record.json();
        let event = events.iter().find(|it| it["event"] == envelope["event"]);
        let event = event.expect("one of the four");
        assert_eq!(envelope["data"]["customer_id"], json!(null));
        assert_eq!(envelope["data"]["email"], json!(null));
        assert_eq!(
            envelope["data"]["session_page"],
            event["data"]["session_page"]
        );
        let time = envelope["timestamp"].as_str().unwrap();
        assert_eq!(record.headers["ce_time"], time);
        assert!(record.headers["traceparent"].starts_with("00-"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_one_customer_have_one_key_and_events_of_nobody_have_their_own() {
    let producer = Producer::start().await;
    let anonymous = RATING.replace("\"cus_9021\"", "null");
    for body in [RATING, RATING, &anonymous, &anonymous] {
        producer.post_json(body.to_owned()).await.id();
    }
    let mut keys: Vec<String> = producer.records().into_iter().map(|it| it.key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 3);
}
