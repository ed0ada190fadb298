//! The headers of events and deliveries, and attempt records.

use std::collections::HashMap;

use domain::{
    AfterAttempt, AttemptRecord, Cause, DeadLetterReason, DeferReason, EventKind, Timestamp,
    record::{
        Coordinates, DeliveryHeaders, EventHeaders, Headers, LastError, MAX_HEADER_BYTES,
        NotAnEvent, RecordError, cut, header,
    },
};
use proptest::{option, prelude::*, sample::select};
use serde_json::json;

use crate::generated;

fn read_event(headers: &Headers) -> Result<EventHeaders, RecordError> {
    let map: HashMap<&str, &[u8]> = headers.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
    EventHeaders::read(|name| map.get(name).copied())
}

fn read_delivery(headers: &Headers) -> Result<DeliveryHeaders, RecordError> {
    let map: HashMap<&str, &[u8]> = headers.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
    DeliveryHeaders::read(|name| map.get(name).copied())
}

fn event() -> EventHeaders {
    EventHeaders {
        account: "acme".parse().unwrap(),
        id: "evt_0190bf5ce3807a6b9d2c8f3a2c91e047".parse().unwrap(),
        kind: EventKind::NewFeedback,
        time: "2024-06-15T14:32:00Z".parse().unwrap(),
        traceparent: None,
    }
}

fn delivery() -> DeliveryHeaders {
    DeliveryHeaders::first(
        "ep_00000000000000000000000000000001".parse().unwrap(),
        Timestamp::from_millis(1_718_461_920_000),
        None,
    )
}

#[test]
fn an_events_headers_are_cloudevents_in_binary_mode_and_the_account() {
    let expected = [
        ("account", "acme"),
        ("ce_id", "evt_0190bf5ce3807a6b9d2c8f3a2c91e047"),
        ("ce_type", "new_feedback"),
        ("ce_source", "feedbackpro/producer"),
        ("ce_time", "2024-06-15T14:32:00Z"),
        ("ce_specversion", "1.0"),
    ];
    assert_eq!(
        event().write(),
        expected.map(|(name, value)| (name, value.to_owned()))
    );
}

#[test]
fn a_first_delivery_is_attempt_one_and_was_never_deferred() {
    let headers: HashMap<&str, String> = delivery().write(&event()).into_iter().collect();
    assert_eq!(
        headers["delivery-endpoint"],
        "ep_00000000000000000000000000000001"
    );
    assert_eq!(headers["delivery-attempt"], "1");
    assert_eq!(headers["delivery-first-at"], "1718461920000");
    assert_eq!(headers["delivery-deferrals"], "0");
    for absent in [header::DUE_AT, header::LAST_STATUS, header::REASON] {
        assert!(!headers.contains_key(absent), "{absent}");
    }
    assert_eq!(
        delivery().id(event().id).to_string(),
        "evt_0190bf5ce3807a6b9d2c8f3a2c91e047.ep_00000000000000000000000000000001"
    );
}

#[test]
fn a_missing_header_is_named() {
    let all = delivery().write(&event());
    for required in [
        header::ACCOUNT,
        header::CE_ID,
        header::CE_TYPE,
        header::CE_TIME,
    ] {
        let mut headers = all.clone();
        headers.retain(|(name, _)| *name != required);
        assert_eq!(read_event(&headers), Err(RecordError::Missing(required)));
    }
    for required in [header::ENDPOINT, header::ATTEMPT, header::FIRST_AT] {
        let mut headers = all.clone();
        headers.retain(|(name, _)| *name != required);
        assert_eq!(read_delivery(&headers), Err(RecordError::Missing(required)));
    }
}

#[test]
fn a_wrong_header_is_named_with_what_it_holds_and_what_is_allowed() {
    for (name, value) in [
        (header::ATTEMPT, "-1"),
        (header::ATTEMPT, "4294967296"),
        (header::FIRST_AT, "yesterday"),
        (header::DUE_AT, ""),
        (header::DEFERRALS, "many"),
        (header::LAST_STATUS, "70000"),
        (header::LAST_ERROR, "weather: rain"),
        (header::LAST_ERROR, "timeout"),
        (header::REASON, "boredom"),
        (header::SOURCE, "feedback.events/1"),
        (header::ENDPOINT, "ep_1"),
    ] {
        let mut headers = delivery().write(&event());
        headers.push((name, value.to_owned()));
        let error = read_delivery(&headers).unwrap_err();
        assert!(
            matches!(&error, RecordError::Invalid { name: n, found, .. } if *n == name && found == value),
            "{error:?}"
        );
        assert!(error.to_string().contains("is allowed"), "{error}");
    }
    let not_utf8 = EventHeaders::read(|_| Some(&[0xff]));
    assert!(matches!(not_utf8, Err(RecordError::Invalid { .. })));
}

#[test]
fn an_event_is_read_beside_its_own_envelope_only() {
    let headers = event().write();
    let map: HashMap<&str, &[u8]> = headers.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
    let beside =
        |envelope: &str| EventHeaders::beside(envelope.as_bytes(), |name| map.get(name).copied());
    let own = r#"{"event":"new_feedback","id":"evt_0190bf5ce3807a6b9d2c8f3a2c91e047","timestamp":"2024-06-15T14:32:00Z","data":{}}"#;
    assert_eq!(beside(own), Ok(event()));
    // Written in another way, it is read whole.
    assert_eq!(beside(&own.replacen(":", ": ", 1)), Ok(event()));
    for other in [
        own.replace("91e047", "91e048"),
        own.replace("new_feedback", "widget_dismissed"),
    ] {
        assert_eq!(beside(&other), Err(NotAnEvent::Different));
    }
    let no_envelope = beside("{}");
    assert!(matches!(no_envelope, Err(NotAnEvent::Envelope(_))));
    let nothing = EventHeaders::beside(own.as_bytes(), |_| None);
    assert!(matches!(nothing, Err(NotAnEvent::Headers(_))));
}

#[test]
fn a_due_time_beyond_the_calendar_is_read_without_harm() {
    let mut headers = delivery().write(&event());
    headers.push((header::DUE_AT, i64::MAX.to_string()));
    let due = read_delivery(&headers).unwrap().due_at.unwrap();
    assert!(due.to_string().starts_with("9999-12-30T"));
}

#[test]
fn long_texts_are_cut_at_a_character_to_what_a_header_may_hold() {
    assert_eq!(cut("größe", 4), "gr\u{f6}");
    assert_eq!(cut("größe", 3), "gr");
    assert_eq!(cut("größe", 100), "größe");

    let mut event = event();
    event.traceparent = Some("0".repeat(10_000));
    let mut delivery = delivery();
    delivery.last_error = Some(LastError {
        cause: Cause::Connect,
        text: "ü".repeat(10_000),
    });
    let headers = delivery.write(&event);
    for (name, value) in &headers {
        assert!(value.len() <= MAX_HEADER_BYTES, "{name}: {}", value.len());
    }
    let error = read_delivery(&headers).unwrap().last_error.unwrap();
    assert_eq!(error.cause, Cause::Connect);
    assert!(error.text.starts_with("üü"));
}

#[test]
fn the_key_of_poison_is_its_place() {
    let place = Coordinates {
        topic: "feedback.events".into(),
        partition: 3,
        offset: 17,
    };
    assert_eq!(place.poison_key(), "feedback.events.3.17");
    assert_eq!(place.to_string(), "feedback.events/3/17");
    for wrong in ["", "a/b", "a/1", "a/1/x", "/"] {
        assert_eq!(Coordinates::parse(wrong), None, "{wrong:?}");
    }
}

#[test]
fn an_attempt_record_is_flat_json_without_payload() {
    let record = AttemptRecord {
        delivery: delivery().id(event().id),
        account: event().account,
        event: EventKind::NewFeedback,
        attempt: 2,
        at: event().time,
        duration_ms: 312,
        status: Some(503),
        error: Some("status: 503 Service Unavailable".to_owned()),
        response: Some("müde".to_owned()),
        after: AfterAttempt::Retry {
            due_at: "2024-06-15T14:34:00.312Z".parse().unwrap(),
            tier: "2m".parse().unwrap(),
        },
        topic: "webhooks.retry.15s".into(),
        partition: 0,
        offset: 9,
    };
    let json = serde_json::to_value(&record).unwrap();
    assert_eq!(
        json,
        json!({
            "delivery": "evt_0190bf5ce3807a6b9d2c8f3a2c91e047.ep_00000000000000000000000000000001",
            "account": "acme", "event": "new_feedback", "attempt": 2,
            "at": "2024-06-15T14:32:00Z", "duration_ms": 312, "status": 503,
            "error": "status: 503 Service Unavailable", "response": "müde",
            "next": "retry", "due_at": "2024-06-15T14:34:00.312Z", "tier": "2m",
            "topic": "webhooks.retry.15s", "partition": 0, "offset": 9,
        })
    );
    for (after, was_made) in [
        (record.after.clone(), true),
        (AfterAttempt::Delivered, true),
        (given_up(DeadLetterReason::EndpointGone), true),
        (given_up(DeadLetterReason::Expired), false),
        (
            AfterAttempt::Deferred {
                due_at: "2024-06-15T14:34:00.312Z".parse().unwrap(),
                tier: "2m".parse().unwrap(),
                reason: DeferReason::Paused,
            },
            false,
        ),
    ] {
        let record = AttemptRecord {
            after,
            ..record.clone()
        };
        assert_eq!(record.was_made(), was_made, "{record:?}");
        let bytes = serde_json::to_vec(&record).unwrap();
        assert_eq!(
            serde_json::from_slice::<AttemptRecord>(&bytes).unwrap(),
            record
        );
    }
}

fn given_up(reason: DeadLetterReason) -> AfterAttempt {
    AfterAttempt::DeadLetter { reason }
}

fn coordinates() -> impl Strategy<Value = Coordinates> {
    ("[a-zA-Z0-9._-]{1,40}", 0_i32..10_000, 0_i64..i64::MAX).prop_map(
        |(topic, partition, offset)| Coordinates {
            topic: topic.into(),
            partition,
            offset,
        },
    )
}

fn last_error() -> impl Strategy<Value = LastError> {
    (select(&Cause::ALL[..]), "(?s).{0,60}").prop_map(|(cause, text)| LastError { cause, text })
}

fn event_headers() -> impl Strategy<Value = EventHeaders> {
    (
        "[A-Za-z0-9_.-]{1,64}",
        generated::event_id(),
        select(&EventKind::ALL[..]),
        generated::timestamp(),
        option::of("00-[0-9a-f]{32}-[0-9a-f]{16}-01"),
    )
        .prop_map(|(account, id, kind, time, traceparent)| EventHeaders {
            account: account.parse().unwrap(),
            id,
            kind,
            time,
            traceparent,
        })
}

fn delivery_headers() -> impl Strategy<Value = DeliveryHeaders> {
    (
        (
            generated::endpoint_id(),
            any::<u32>(),
            generated::timestamp(),
        ),
        (option::of(generated::timestamp()), any::<u32>()),
        (option::of(any::<u16>()), option::of(last_error())),
        option::of(select(&DeadLetterReason::ALL[..])),
        option::of(coordinates()),
    )
        .prop_map(
            |(
                (endpoint, attempt, first_at),
                (due_at, deferrals),
                (last_status, last_error),
                reason,
                source,
            )| DeliveryHeaders {
                endpoint,
                attempt,
                first_at,
                due_at,
                deferrals,
                last_status,
                last_error,
                reason,
                source,
            },
        )
}

proptest! {
    #[test]
    fn headers_are_the_same_after_writing_and_reading_and_each_stands_once(
        event in event_headers(),
        delivery in delivery_headers(),
    ) {
        let headers = delivery.write(&event);
        prop_assert_eq!(read_event(&headers).unwrap(), event);
        prop_assert_eq!(read_delivery(&headers).unwrap(), delivery);
        let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(names.len(), headers.len());
    }

    #[test]
    fn a_place_is_the_same_after_writing_and_reading(place in coordinates()) {
        prop_assert_eq!(Coordinates::parse(&place.to_string()), Some(place));
    }
}

#[test]
fn an_audit_record_says_each_action_by_one_word() {
    for action in domain::AuditAction::ALL {
        let json = serde_json::to_value(action).unwrap();
        assert_eq!(json, action.as_str());
    }
    let record = domain::AuditRecord {
        at: Timestamp::from_millis(0),
        account: Some("shop".parse().unwrap()),
        token: "backend".to_owned(),
        action: domain::AuditAction::EndpointPaused,
        subject: "ep_00000000000000000000000000000001".to_owned(),
        detail: None,
    };
    assert_eq!(record.key(), "shop");
    let json = serde_json::to_string(&record).unwrap();
    assert_eq!(
        serde_json::from_str::<domain::AuditRecord>(&json).unwrap(),
        record
    );
}
