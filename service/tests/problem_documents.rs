//! Problem documents, and bodies that end in one.

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use serde::Deserialize;
use serde_json::{Value, json};
use service::body;
use service::problem::{ABOUT_BLANK, Problem, ProblemError};

#[test]
fn a_problem_serialises_as_rfc_9457_says() {
    let problem = Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid-event",
        "the event does not fit its schema",
    )
    .with_error(
        ProblemError::new("$.data.score", "the score is out of range")
            .found("6")
            .allowed("1 to 5"),
    );
    assert_eq!(
        serde_json::to_value(&problem).unwrap(),
        json!({
            "type": "/problems/invalid-event",
            "title": "Invalid event",
            "status": 422,
            "detail": "the event does not fit its schema",
            "errors": [{
                "path": "$.data.score",
                "found": "6",
                "allowed": "1 to 5",
                "detail": "the score is out of range",
            }],
        })
    );
}

#[test]
fn a_problem_without_a_type_of_its_own_bears_the_status_name() {
    let problem = Problem::not_found("no such endpoint");
    assert_eq!(
        serde_json::to_value(&problem).unwrap(),
        json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "no such endpoint"})
    );
}

#[test]
fn a_title_is_the_slug_as_people_write_it() {
    for (slug, title) in [
        ("too-many-lines", "Too many lines"),
        ("not-json", "Not JSON"),
        ("not-utf-8", "Not UTF-8"),
    ] {
        let problem = Problem::new(StatusCode::BAD_REQUEST, slug, "");
        assert_eq!(problem.title(), title);
    }
}

#[test]
fn the_response_carries_the_headers_of_its_status() {
    let response = Problem::unauthorized("a token is needed").into_response();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );

    let busy = Problem::new(StatusCode::SERVICE_UNAVAILABLE, ABOUT_BLANK, "later").retry_after(5);
    let response = busy.into_response();
    assert_eq!(response.headers()[header::RETRY_AFTER], "5");
    assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
}

#[test]
fn a_found_value_is_cut_between_characters() {
    let error = ProblemError::new("$", "too long").found("ü".repeat(5000));
    assert_eq!(error.found.unwrap(), "ü".repeat(200) + "…");
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    url: String,
    #[serde(default)]
    events: Vec<String>,
}

#[test]
fn what_is_not_json_is_400_and_what_does_not_fit_is_422_with_its_path() {
    let good: Change = body::json(br#"{"url":"https://a.de"}"#).unwrap();
    assert_eq!((good.url.as_str(), good.events.len()), ("https://a.de", 0));
    let nested = "[".repeat(2000);
    for wrong in [
        &b"{"[..],
        b"",
        b"\"\xff\"",
        b"{\"url\":\"a\"} x",
        b"{\"url\":5",
        nested.as_bytes(),
    ] {
        let problem = body::json::<Change>(wrong).unwrap_err();
        assert_eq!(problem.status, StatusCode::BAD_REQUEST, "{problem:?}");
    }
    for (wrong, path, detail, allowed) in [
        (
            &br#"{"url":5}"#[..],
            "$.url",
            "invalid type: integer `5`",
            Some("a string"),
        ),
        (
            br#"{"url":"a","events":["x",7]}"#,
            "$.events[1]",
            "invalid type: integer `7`",
            Some("a string"),
        ),
        (
            br#"{"url":"a","color":1}"#,
            "$.color",
            "unknown field `color`",
            Some("`url` or `events`"),
        ),
        (br#"{}"#, "$.url", "it is missing", None),
        (b"7", "$", "not an object", Some("a JSON object")),
        (
            br#"["https://a.de",[]]"#,
            "$",
            "not an object",
            Some("a JSON object"),
        ),
    ] {
        let problem = body::json::<Change>(wrong).unwrap_err();
        assert_eq!(problem.status, StatusCode::UNPROCESSABLE_ENTITY);
        let error = &problem.errors[0];
        assert_eq!(error.path, path, "{problem:?}");
        assert_eq!(error.detail, detail, "{problem:?}");
        assert_eq!(error.allowed.as_deref(), allowed, "{problem:?}");
    }
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit() {
    let whole = body::read(Body::from("12345"), 5).await.unwrap();
    assert_eq!(whole, Bytes::from_static(b"12345"));
    let problem = body::read(Body::from("123456"), 5).await.unwrap_err();
    assert_eq!(problem.status, StatusCode::PAYLOAD_TOO_LARGE);
    let document: Value = serde_json::to_value(&problem).unwrap();
    assert_eq!(document["type"], "/problems/body-too-large");
}
