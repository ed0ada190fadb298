//! What is an event and what is none: every field, and how it can be wrong.

use domain::{EventKind, InputError, Submission};
use serde_json::{Value, json};

const TEXT: &str = "a text that is not empty";
const SECONDS: &str = "a whole number of seconds from 0 to 4294967295";
pub(crate) const EMAIL: &str = "an e-mail address";

/// One field of one event: may it be null, and what is allowed in it.
struct Field {
    name: &'static str,
    nullable: bool,
    allowed: &'static str,
}

const fn nullable(name: &'static str, allowed: &'static str) -> Field {
    Field {
        name,
        nullable: true,
        allowed,
    }
}

const fn required(name: &'static str, allowed: &'static str) -> Field {
    Field {
        name,
        nullable: false,
        allowed,
    }
}

/// The nullability table of the design.
fn fields(kind: EventKind) -> Vec<Field> {
    let mut fields = vec![
        nullable("customer_id", TEXT),
        nullable("email", EMAIL),
        required("session_page", TEXT),
    ];
    fields.extend(match kind {
        EventKind::NewFeedback => vec![
            required("comment", TEXT),
            nullable("browser_locale", "a BCP 47 language tag such as de-DE"),
            nullable("session_duration_seconds", SECONDS),
        ],
        EventKind::RatingSubmitted => vec![
            required("score", "a whole number from 1 to 5"),
            required("product_sku", TEXT),
        ],
        EventKind::NpsCalculated => vec![
            required("segment", "Promoter, Passive or Detractor"),
            required("response_id", TEXT),
        ],
        EventKind::WidgetDismissed => vec![
            nullable("product_sku", TEXT),
            nullable("session_duration_seconds", SECONDS),
        ],
    });
    fields
}

/// A valid event of a kind, every field filled.
pub(crate) fn valid(kind: EventKind) -> Value {
    let data = match kind {
        EventKind::NewFeedback => json!({
            "customer_id": "cus_1", "email": "jörg@müller.example", "comment": "Prima! 🎉",
            "browser_locale": "de-AT", "session_duration_seconds": 0, "session_page": "/",
        }),
        EventKind::RatingSubmitted => json!({
            "customer_id": "cus_1", "email": "a@example.de", "score": 5,
            "product_sku": "BW-1", "session_page": "/p",
        }),
        EventKind::NpsCalculated => json!({
            "customer_id": "cus_1", "email": "a@example.de", "segment": "Passive",
            "response_id": "r1", "session_page": "/p",
        }),
        EventKind::WidgetDismissed => json!({
            "customer_id": "cus_1", "email": "a@example.de", "product_sku": "BW-1",
            "session_duration_seconds": 4_294_967_295_u32, "session_page": "/p",
        }),
    };
    json!({"event": kind, "data": data})
}

fn parse(event: &Value) -> Result<Value, InputError> {
    let submission = Submission::parse(event.to_string().as_bytes())?;
    Ok(serde_json::to_value(submission.data).unwrap())
}

/// The path and the words of a refusal.
pub(crate) fn refusal(input: impl AsRef<[u8]>) -> (String, String) {
    match Submission::parse(input.as_ref()) {
        Err(InputError::Invalid {
            path,
            found,
            allowed,
        }) => (path, format!("found {found}, allowed is {allowed}")),
        other => panic!("expected a refusal with a path, got {other:?}"),
    }
}

pub(crate) fn rating(field: &str, value: Value) -> String {
    let mut event = valid(EventKind::RatingSubmitted);
    event["data"][field] = value;
    event.to_string()
}

#[test]
fn an_event_with_every_field_is_taken_as_it_is() {
    for kind in EventKind::ALL {
        let event = valid(kind);
        assert_eq!(parse(&event).unwrap(), event["data"], "{kind}");
        assert_eq!(
            event["data"].as_object().unwrap().len(),
            fields(kind).len(),
            "the table lists every field of {kind}"
        );
    }
}

#[test]
fn a_nullable_field_may_be_missing_null_or_empty_and_is_null_on_output() {
    for kind in EventKind::ALL {
        for field in fields(kind).iter().filter(|f| f.nullable) {
            let mut missing = valid(kind);
            missing["data"].as_object_mut().unwrap().remove(field.name);
            let mut null = valid(kind);
            null["data"][field.name] = Value::Null;
            let mut empty = valid(kind);
            empty["data"][field.name] = json!("");
            for input in [missing, empty, null.clone()] {
                assert_eq!(parse(&input).unwrap(), null["data"], "{kind}: {input}");
            }
        }
    }
}

#[test]
fn a_required_field_that_is_missing_null_or_empty_is_refused_with_path_and_what_is_allowed() {
    for kind in EventKind::ALL {
        for field in fields(kind).iter().filter(|f| !f.nullable) {
            let mut missing = valid(kind);
            missing["data"].as_object_mut().unwrap().remove(field.name);
            let mut null = valid(kind);
            null["data"][field.name] = Value::Null;
            let mut empty = valid(kind);
            empty["data"][field.name] = json!("");
            for (input, found) in [
                (missing, "found nothing,"),
                (null, "found null,"),
                (empty, r#"found "","#),
            ] {
                let (path, detail) = refusal(input.to_string());
                assert_eq!(path, format!("$.data.{}", field.name), "{kind}: {detail}");
                assert!(detail.contains(found), "{path}: {detail}");
                assert!(detail.contains(field.allowed), "{path}: {detail}");
            }
        }
    }
}

#[test]
fn a_field_of_another_type_is_refused_with_path_found_and_allowed() {
    for kind in EventKind::ALL {
        for field in fields(kind) {
            let is_number = valid(kind)["data"][field.name].is_number();
            let (other, found) = if is_number {
                (json!("4"), r#""4""#)
            } else {
                (json!(4711), "4711")
            };
            for (value, found) in [
                (other, found),
                (json!(true), "true"),
                (json!([]), "an array"),
                (json!({}), "an object"),
            ] {
                let mut event = valid(kind);
                event["data"][field.name] = value;
                let (path, detail) = refusal(event.to_string());
                assert_eq!(path, format!("$.data.{}", field.name));
                assert!(detail.contains(found), "{path}: {detail}");
                assert!(detail.contains(field.allowed), "{path}: {detail}");
            }
        }
    }
}

#[test]
fn a_score_is_a_whole_number_from_one_to_five() {
    for stars in 1..=5 {
        assert!(Submission::parse(rating("score", json!(stars)).as_bytes()).is_ok());
    }
    for (wrong, found) in [
        (json!(6), "found 6,"),
        (json!(0), "found 0,"),
        (json!(-1), "found -1,"),
        (json!(4.0), "found 4.0,"),
        (json!(256 + 4), "found 260,"),
        (json!("4"), r#"found "4","#),
    ] {
        let (path, detail) = refusal(rating("score", wrong));
        assert_eq!(path, "$.data.score");
        assert!(detail.contains(found), "{detail}");
        assert!(detail.ends_with("a whole number from 1 to 5"), "{detail}");
    }
}

#[test]
fn seconds_are_whole_and_fit_into_32_bits() {
    for wrong in [json!(-1), json!(1.5), json!(4_294_967_296_u64)] {
        let mut event = valid(EventKind::WidgetDismissed);
        event["data"]["session_duration_seconds"] = wrong;
        let (path, detail) = refusal(event.to_string());
        assert_eq!(path, "$.data.session_duration_seconds");
        assert!(detail.contains(SECONDS), "{detail}");
    }
}

#[test]
fn an_address_that_is_none_is_refused() {
    for wrong in [
        "anna",
        "@example.de",
        "anna@",
        "a@@example.de",
        "a b@example.de",
        "Anna <anna@example.de>",
        "anna@[127.0.0.1]",
        " anna@example.de",
    ] {
        let (path, detail) = refusal(rating("email", json!(wrong)));
        assert_eq!(path, "$.data.email", "{wrong}");
        assert!(detail.contains(EMAIL), "{detail}");
    }
}

#[test]
fn a_locale_that_is_no_bcp_47_tag_is_refused() {
    for (locale, fine) in [
        ("de", true),
        ("de-DE", true),
        ("zh-Hant-TW", true),
        ("de_DE", false),
        ("deutsch!", false),
    ] {
        let mut event = valid(EventKind::NewFeedback);
        event["data"]["browser_locale"] = json!(locale);
        let parsed = Submission::parse(event.to_string().as_bytes());
        assert_eq!(parsed.is_ok(), fine, "{locale}: {parsed:?}");
    }
}

#[test]
fn an_event_that_is_not_in_the_catalogue_is_refused_with_the_catalogue() {
    for wrong in [
        json!("purchase"),
        json!("New_Feedback"),
        json!(""),
        json!(null),
        json!(5),
        json!({"new_feedback": null}),
    ] {
        let mut event = valid(EventKind::NewFeedback);
        event["event"] = wrong;
        let (path, detail) = refusal(event.to_string());
        assert_eq!(path, "$.event");
        for kind in EventKind::ALL {
            assert!(detail.contains(kind.as_str()), "{detail}");
        }
    }
}

#[test]
fn a_segment_is_one_of_three_words_as_the_page_writes_them() {
    for wrong in [json!("promoter"), json!({"Promoter": null}), json!(9)] {
        let mut event = valid(EventKind::NpsCalculated);
        event["data"]["segment"] = wrong;
        let (path, detail) = refusal(event.to_string());
        assert_eq!(path, "$.data.segment");
        assert!(
            detail.contains("Promoter, Passive or Detractor"),
            "{detail}"
        );
    }
}

#[test]
fn an_unknown_field_is_refused_by_name_outside_and_inside() {
    let mut outside = valid(EventKind::RatingSubmitted);
    outside["id"] = json!("evt_1");
    let (path, detail) = refusal(outside.to_string());
    assert_eq!(path, "$.id");
    assert!(detail.contains("`id`"), "{detail}");
    assert!(
        detail.contains("`event`, `timestamp`, `data`"),
        "what is allowed: {detail}"
    );

    let (path, detail) = refusal(rating("comment", json!("hi")));
    assert_eq!(path, "$.data.comment");
    assert!(detail.contains("`comment`"), "{detail}");
    assert!(detail.contains("`product_sku`"), "{detail}");
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let twice_outside = r#"{"event":"new_feedback","event":"new_feedback","data":{}}"#;
    let (path, detail) = refusal(twice_outside);
    assert_eq!(path, "$.event");
    assert!(
        detail.contains("found it twice, allowed is once"),
        "{detail}"
    );

    let twice_inside = r#"{"event":"rating_submitted","data":{"score":1,"score":5,"product_sku":"a","session_page":"/"}}"#;
    let (path, detail) = refusal(twice_inside);
    assert_eq!(path, "$.data.score");
    assert!(
        detail.contains("found it twice, allowed is once"),
        "{detail}"
    );
}

#[test]
fn the_outside_needs_event_and_data_and_takes_a_moment() {
    let (path, detail) = refusal("{}");
    assert_eq!(path, "$.event");
    assert!(detail.contains("found nothing"), "{detail}");
    assert!(detail.contains("widget_dismissed"), "{detail}");

    let (path, detail) = refusal(r#"{"event":"new_feedback"}"#);
    assert_eq!(path, "$.data");
    assert!(detail.contains("allowed is an object"), "{detail}");

    for data in ["null", "[]", "4", r#""x""#, "true"] {
        let (path, detail) = refusal(format!(r#"{{"event":"new_feedback","data":{data}}}"#));
        assert_eq!(path, "$.data");
        assert!(detail.contains("allowed is an object"), "{detail}");
    }

    let mut event = valid(EventKind::NewFeedback);
    event["timestamp"] = json!("2024-06-15T16:32:00+02:00");
    let submission = Submission::parse(event.to_string().as_bytes()).unwrap();
    assert_eq!(
        submission.timestamp.unwrap().to_string(),
        "2024-06-15T14:32:00Z"
    );

    for wrong in [json!("yesterday"), json!(""), json!(1_718_461_920)] {
        event["timestamp"] = wrong;
        let (path, detail) = refusal(event.to_string());
        assert_eq!(path, "$.timestamp");
        assert!(detail.contains("2024-06-15T14:32:00Z"), "{detail}");
    }
}
