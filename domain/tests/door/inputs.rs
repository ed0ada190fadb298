//! Input that is no event at all: no object, no JSON, no text, too deep, too long.

use domain::{EventKind, InputError, Submission};
use serde_json::json;

use crate::events::{EMAIL, rating, refusal, valid};

#[test]
fn what_is_no_object_is_refused() {
    for (input, found) in [
        ("[]", "an array"),
        (r#""new_feedback""#, "a string"),
        ("12", "a number"),
        ("null", "null"),
        ("false", "true or false"),
    ] {
        let (path, detail) = refusal(input);
        assert_eq!(path, "$");
        assert!(detail.contains(found), "{detail}");
        assert!(detail.contains("allowed is an object"), "{detail}");
    }
}

#[test]
fn what_is_no_json_is_told_apart_and_has_a_position() {
    for (input, position) in [
        ("", "at column 0"),
        (" ", "at column 1"),
        ("{", "at column 1"),
        ("{\"event\":}", "at column 10"),
        ("{} {}", "at column 4"),
        ("{'event':1}", "at column 2"),
        ("{\n}}", "at line 2 column 2"),
    ] {
        let error = Submission::parse(input.as_bytes()).unwrap_err();
        assert!(
            matches!(&error, InputError::NotJson { detail } if detail.ends_with(position)),
            "{input:?}: {error:?}"
        );
    }
}

#[test]
fn what_no_type_holds_is_refused_with_its_path_and_what_is_allowed() {
    let huge = rating("score", json!(5)).replace(":5", ":1e400");
    let half = rating("product_sku", json!("half")).replace("half", "\\ud800");
    for (input, path, allowed) in [
        (huge, "$.data.score", "a whole number from 1 to 5"),
        (half, "$.data.product_sku", "a text that is not empty"),
    ] {
        let (found_path, detail) = refusal(&input);
        assert_eq!(found_path, path, "{detail}");
        assert!(detail.ends_with(allowed), "{detail}");
    }
}

#[test]
fn broken_utf_8_is_refused_with_its_offset() {
    let mut input = valid(EventKind::NewFeedback).to_string().into_bytes();
    let offset = input.len() / 2;
    input[offset] = 0xff;
    assert_eq!(
        Submission::parse(&input),
        Err(InputError::NotUtf8 { offset })
    );
}

#[test]
fn two_thousand_nested_arrays_are_refused_like_any_array() {
    let nested = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
    assert_eq!(refusal(&nested).0, "$");
    let data = format!(r#"{{"event":"new_feedback","data":{nested}}}"#);
    assert_eq!(refusal(data).0, "$.data");
    let field =
        format!(r#"{{"event":"new_feedback","data":{{"comment":{nested},"session_page":"/"}}}}"#);
    let (path, detail) = refusal(field);
    assert_eq!(path, "$.data.comment");
    assert!(detail.contains("found an array"), "{detail}");
    let unknown = format!(r#"{{"event":"new_feedback","x":{nested},"data":{{}}}}"#);
    assert_eq!(refusal(unknown).0, "$.x");
}

#[test]
fn an_error_stays_short_when_the_input_is_long() {
    let long = "ü".repeat(500_000);
    let unknown_field = format!(r#"{{"event":"new_feedback","{long}":1,"data":{{}}}}"#);
    for (input, allowed) in [
        (rating("email", json!(long)), EMAIL),
        (rating("score", json!(long)), "a whole number from 1 to 5"),
        (unknown_field, "`data`"),
    ] {
        let error = Submission::parse(input.as_bytes()).unwrap_err().to_string();
        assert!(error.len() < 1_000, "{} bytes", error.len());
        assert!(error.contains(allowed), "{error}");
    }
}

#[test]
fn words_of_the_input_that_look_like_a_position_are_kept() {
    let wrong = "x at line 1 column 2";
    let (_, detail) = refusal(rating("email", json!(wrong)));
    assert!(detail.contains(wrong), "{detail}");
    assert!(detail.ends_with("an e-mail address or null"), "{detail}");
}
