//! The bytes that are delivered.

use domain::{
    Envelope, EnvelopeHead, EventData, EventKind, InputError, MAX_ENVELOPE_BYTES, NewFeedback,
    Submission, Text,
};
use proptest::prelude::*;

use crate::generated;

/// The product page's example, with an id of full length.
const PAGE: &str = r#"{"event":"rating_submitted","id":"evt_0000000000000000000000008f3a2c91","timestamp":"2024-06-15T14:32:00Z","data":{"customer_id":"cus_9021","email":"anna.mueller@webshop.de","score":4,"product_sku":"BW-440-RED","session_page":"/checkout/thank-you"}}"#;

#[test]
fn the_bytes_are_those_of_the_product_page_in_its_key_order() {
    let submission = Submission::parse(
        br#"{"data": {"session_page": "/checkout/thank-you", "product_sku": "BW-440-RED", "score": 4,
            "email": "anna.mueller@webshop.de", "customer_id": "cus_9021"}, "event": "rating_submitted"}"#,
    )
    .unwrap();
    let envelope = Envelope::new(
        "evt_0000000000000000000000008f3a2c91".parse().unwrap(),
        "2024-06-15T14:32:00Z".parse().unwrap(),
        submission.data,
    );
    let bytes = envelope.to_bytes().unwrap();
    assert_eq!(std::str::from_utf8(&bytes).unwrap(), PAGE);
}

#[test]
fn the_other_events_keep_the_order_of_the_catalogue() {
    for (kind, keys) in [
        (
            EventKind::NewFeedback,
            "customer_id email comment browser_locale session_duration_seconds session_page",
        ),
        (
            EventKind::NpsCalculated,
            "customer_id email segment response_id session_page",
        ),
        (
            EventKind::WidgetDismissed,
            "customer_id email product_sku session_duration_seconds session_page",
        ),
    ] {
        let json = serde_json::to_string(&EventData::example(kind)).unwrap();
        let positions: Vec<usize> = keys
            .split(' ')
            .map(|key| json.find(&format!("\"{key}\":")).unwrap())
            .collect();
        assert!(positions.is_sorted(), "{json}");
    }
}

#[test]
fn unknown_fields_are_written_as_null() {
    let submission = Submission::parse(
        r#"{"event":"widget_dismissed","data":{"email":"","session_page":"/größe"}}"#.as_bytes(),
    )
    .unwrap();
    let envelope = Envelope::new(
        "evt_00000000000000000000000000000001".parse().unwrap(),
        "2024-06-15T14:32:00.250Z".parse().unwrap(),
        submission.data,
    );
    assert_eq!(
        std::str::from_utf8(&envelope.to_bytes().unwrap()).unwrap(),
        r#"{"event":"widget_dismissed","id":"evt_00000000000000000000000000000001","timestamp":"2024-06-15T14:32:00.25Z","data":{"customer_id":null,"email":null,"product_sku":null,"session_duration_seconds":null,"session_page":"/größe"}}"#
    );
}

fn feedback_of(bytes: usize) -> Envelope {
    let build = |comment: &str| {
        Envelope::new(
            "evt_00000000000000000000000000000001".parse().unwrap(),
            "2024-06-15T14:32:00Z".parse().unwrap(),
            EventData::NewFeedback(NewFeedback {
                customer_id: None,
                email: None,
                comment: Text::new(comment).unwrap(),
                browser_locale: None,
                session_duration_seconds: None,
                session_page: Text::new("/").unwrap(),
            }),
        )
    };
    let frame = build("x").to_bytes().unwrap().len() - 1;
    build(&"x".repeat(bytes - frame))
}

#[test]
fn an_envelope_may_be_64_kib_long_and_not_a_byte_more() {
    assert_eq!(MAX_ENVELOPE_BYTES, 65_536);
    assert_eq!(feedback_of(65_536).to_bytes().unwrap().len(), 65_536);
    assert_eq!(
        feedback_of(65_537).to_bytes(),
        Err(InputError::TooLong { found: 65_537 })
    );
}

#[test]
fn an_envelope_is_read_strictly() {
    let refused = |text: String| match Envelope::parse(text.as_bytes()) {
        Err(InputError::Invalid {
            path,
            found,
            allowed,
        }) => (path, format!("found {found}, allowed is {allowed}")),
        other => panic!("expected a refusal with a path, got {other:?}"),
    };
    let (path, detail) = refused(PAGE.replace("evt_000000000000000000000000", "evt_"));
    assert_eq!(path, "$.id");
    assert!(detail.contains("32 lower-case hex digits"), "{detail}");
    assert_eq!(
        refused(PAGE.replace("\"score\":4", "\"score\":6")).0,
        "$.data.score"
    );
    assert_eq!(
        refused(PAGE.replace("\"data\":", "\"extra\":1,\"data\":")).0,
        "$.extra"
    );
    let (path, detail) =
        refused(PAGE.replace("\"id\":\"evt_0000000000000000000000008f3a2c91\",", ""));
    assert_eq!(path, "$.id");
    assert!(detail.contains("an event id"), "{detail}");
}

#[test]
fn the_head_of_an_envelope_says_event_and_id() {
    let head = EnvelopeHead::parse(PAGE.as_bytes()).unwrap();
    assert_eq!(head.kind, EventKind::RatingSubmitted);
    assert_eq!(head.id.to_string(), "evt_0000000000000000000000008f3a2c91");
}

#[test]
fn an_event_is_known_by_the_outside_of_its_bytes() {
    let head = EnvelopeHead::parse(PAGE.as_bytes()).unwrap();
    let bytes = Envelope::parse(PAGE.as_bytes())
        .unwrap()
        .to_bytes()
        .unwrap();
    assert!(head.is_outside_of(&bytes));
    let text = String::from_utf8(bytes).unwrap();
    for other in [
        text.replace("8f3a2c91", "8f3a2c92"),
        text.replace("rating_submitted", "nps_calculated"),
        text.replace("{\"event\":", "{\"event\": "),
        text.trim_end_matches('}').to_owned(),
        format!(" {text}"),
        String::new(),
    ] {
        assert!(!head.is_outside_of(other.as_bytes()), "{other}");
    }
}

#[test]
fn the_head_of_a_poison_record_says_what_is_wrong_with_it() {
    let cut = PAGE.len() - 1;
    let mut not_utf8 = PAGE.as_bytes().to_vec();
    not_utf8[PAGE.find("cus_9021").unwrap()] = 0xc3;
    for (bytes, wrong) in [
        (b"hello".to_vec(), "not JSON"),
        (PAGE.as_bytes()[..cut].to_vec(), "not JSON"),
        (not_utf8, "not UTF-8"),
        (b"{}".to_vec(), "$.event: found nothing"),
        (PAGE.replace("rating_", "re").into_bytes(), "resubmitted"),
        (PAGE.replace("evt_", "").into_bytes(), "an event id"),
        (PAGE.replace("\"data\"", "\"date\"").into_bytes(), "`date`"),
    ] {
        let error = EnvelopeHead::parse(&bytes).unwrap_err().to_string();
        assert!(error.contains(wrong), "{error}");
    }
}

#[test]
fn every_example_of_the_catalogue_is_an_event() {
    for kind in EventKind::ALL {
        let data = EventData::example(kind);
        assert_eq!(data.kind(), kind);
        let input = serde_json::json!({"event": kind, "data": data}).to_string();
        assert_eq!(Submission::parse(input.as_bytes()).unwrap().data, data);
    }
}

proptest! {
    #[test]
    fn an_envelope_is_the_same_after_writing_and_reading(envelope in generated::envelope()) {
        let bytes = envelope.to_bytes().unwrap();
        prop_assert_eq!(&Envelope::parse(&bytes).unwrap(), &envelope);
        let head = EnvelopeHead::parse(&bytes).unwrap();
        prop_assert_eq!((head.kind, head.id), (envelope.data().kind(), envelope.id()));
        prop_assert!(head.is_outside_of(&bytes));
        // The same bytes again: what is read and written anew does not drift.
        prop_assert_eq!(Envelope::parse(&bytes).unwrap().to_bytes().unwrap(), bytes);
    }

    #[test]
    fn any_bytes_at_all_are_answered_without_a_panic(bytes in any::<Vec<u8>>()) {
        let refused = [
            Submission::parse(&bytes).is_err(),
            Envelope::parse(&bytes).is_err(),
            EnvelopeHead::parse(&bytes).is_err(),
        ];
        prop_assert_eq!(refused, [true; 3]);
    }
}
