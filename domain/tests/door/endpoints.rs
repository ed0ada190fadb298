//! Endpoint records and their state.

use std::time::Duration;

use domain::{
    Condition, DataField, Endpoint, EndpointId, EndpointKey, EndpointState, EndpointStateRecord,
    Filter, Operand, Operator, ROTATION_OVERLAP, SealedSecret, Timestamp,
};
use serde_json::json;

fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn endpoint(activation: u64, paused: bool) -> Endpoint {
    serde_json::from_value(json!({
        "id": "ep_00000000000000000000000000000001",
        "account": "acme",
        "url": "https://api.example.de/webhooks/feedback",
        "events": ["new_feedback", "rating_submitted"],
        "paused": paused,
        "activation": activation,
        "version": 3,
        "secrets": [{"key_id": "k1", "sealed": "AAAA"}],
        "created_at": "2024-06-15T14:32:00Z",
        "updated_at": "2024-06-15T14:32:00Z",
    }))
    .unwrap()
}

fn gone(disabled_activation: u64) -> EndpointStateRecord {
    EndpointStateRecord {
        disabled_activation,
        at: moment(0),
    }
}

#[test]
fn an_endpoint_is_enabled_until_it_is_paused_or_says_410() {
    assert_eq!(endpoint(0, false).state(None), EndpointState::Enabled);
    assert_eq!(endpoint(0, true).state(None), EndpointState::Paused);
    assert_eq!(
        endpoint(0, false).state(Some(&gone(0))),
        EndpointState::Disabled
    );
    assert_eq!(
        endpoint(0, true).state(Some(&gone(0))),
        EndpointState::Disabled,
        "also while it is paused"
    );
}

#[test]
fn a_410_from_before_the_resume_is_void() {
    let resumed = endpoint(1, false);
    assert_eq!(resumed.state(Some(&gone(0))), EndpointState::Enabled);
    assert_eq!(resumed.state(Some(&gone(1))), EndpointState::Disabled);
}

#[test]
fn a_replaced_secret_signs_until_its_end() {
    assert_eq!(ROTATION_OVERLAP, Duration::from_secs(24 * 3600));
    let rotated_at = moment(1_000_000);
    let sealed = |key_id: &str, expires_at| SealedSecret {
        key_id: key_id.to_owned(),
        sealed: String::new(),
        expires_at,
    };
    let mut endpoint = endpoint(0, false);
    endpoint.secrets = vec![
        sealed("new", None),
        sealed("old", Some(rotated_at + ROTATION_OVERLAP)),
    ];
    let signing = |now| -> Vec<&str> {
        endpoint
            .signing_secrets(now)
            .map(|secret| secret.key_id.as_str())
            .collect()
    };
    assert_eq!(signing(rotated_at), ["new", "old"]);
    let last = rotated_at + (ROTATION_OVERLAP - Duration::from_millis(1));
    assert_eq!(signing(last), ["new", "old"]);
    assert_eq!(signing(rotated_at + ROTATION_OVERLAP), ["new"]);
}

#[test]
fn a_record_from_before_filters_lets_everything_pass() {
    assert_eq!(endpoint(0, false).filter, Filter::default());
}

#[test]
fn a_record_of_a_newer_console_is_still_read() {
    let mut record = serde_json::to_value(endpoint(0, false)).unwrap();
    record["colour"] = json!("green");
    let read: Endpoint = serde_json::from_value(record).unwrap();
    assert_eq!(read, endpoint(0, false));
}

#[test]
fn an_endpoint_is_the_same_after_writing_and_reading() {
    let mut endpoint = endpoint(7, true);
    endpoint.description = Some("Lager & Versand ✅".to_owned());
    endpoint
        .headers
        .insert("x-shop".to_owned(), "münchen".to_owned());
    endpoint.max_per_second = Some(50);
    endpoint.filter = Filter::new(vec![Condition {
        field: DataField::Score,
        operator: Operator::AtMost,
        value: Operand::Number(2),
    }])
    .unwrap();
    endpoint.secrets[0].expires_at = Some(moment(1_718_461_920_123));
    let bytes = serde_json::to_vec(&endpoint).unwrap();
    assert_eq!(
        serde_json::from_slice::<Endpoint>(&bytes).unwrap(),
        endpoint
    );
    let bytes = serde_json::to_vec(&gone(7)).unwrap();
    assert_eq!(
        serde_json::from_slice::<EndpointStateRecord>(&bytes).unwrap(),
        gone(7)
    );
}

#[test]
fn a_key_of_the_endpoint_table_names_a_record_or_a_state() {
    let id: EndpointId = "ep_00000000000000000000000000000001".parse().unwrap();
    for key in [EndpointKey::Record(id), EndpointKey::State(id)] {
        assert_eq!(EndpointKey::parse(&key.to_string()), Some(key));
    }
    assert_eq!(EndpointKey::State(id).to_string(), format!("{id}/state"));
    for wrong in [
        "",
        "/state",
        "ep_1",
        &format!("{id}/"),
        &format!("{id}/state/state"),
    ] {
        assert_eq!(EndpointKey::parse(wrong), None, "{wrong:?}");
    }
}
