//! What a user may set, and what is said when it is wrong.

use std::collections::BTreeMap;

use kafka::{Connection, ConnectionError, Publisher, PublisherOptions};

fn with(key: &str, value: &str) -> Result<Connection, ConnectionError> {
    let properties = BTreeMap::from([(key.to_owned(), value.to_owned())]);
    Connection::new("127.0.0.1:9092", "test", properties)
}

#[test]
fn a_property_that_the_promise_depends_on_is_refused_by_name() {
    for key in [
        "acks",
        "enable.idempotence",
        "isolation.level",
        "enable.auto.commit",
    ] {
        let error = with(key, "0").unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
        assert!(error.contains("promise"), "{error}");
    }
}

#[test]
fn every_reserved_property_is_one_that_librdkafka_knows_or_an_alias() {
    // A slip of the pen in the list would let the property through.
    for key in [
        "request.required.acks",
        "delivery.timeout.ms",
        "group.protocol",
    ] {
        assert!(
            matches!(with(key, "1"), Err(ConnectionError::Reserved { .. })),
            "{key}"
        );
    }
}

#[test]
fn an_unknown_property_and_a_wrong_value_are_named() {
    let error = with("sasl.passwort", "x").unwrap_err().to_string();
    assert!(error.contains("sasl.passwort"), "{error}");
    let error = with("security.protocol", "tls").unwrap_err().to_string();
    assert!(error.contains("security.protocol"), "{error}");
}

#[test]
fn the_value_of_a_wrong_property_is_not_repeated() {
    let error = with("socket.timeout.ms", "hunter2")
        .unwrap_err()
        .to_string();
    assert!(!error.contains("hunter2"), "{error}");
    let debug = format!("{:?}", with("sasl.password", "hunter2").unwrap());
    assert!(!debug.contains("hunter2"), "{debug}");
}

#[test]
fn an_empty_list_of_brokers_is_refused() {
    for brokers in ["", " , "] {
        let error = Connection::new(brokers, "test", BTreeMap::new()).unwrap_err();
        assert_eq!(error, ConnectionError::NoBrokers);
    }
}

#[test]
fn a_user_may_replace_defaults_and_nothing_that_is_needed() {
    let config = with("queued.max.messages.kbytes", "777")
        .unwrap()
        .consumer_config("group", &[("queued.max.messages.kbytes", "512")]);
    assert_eq!(config.get("queued.max.messages.kbytes"), Some("777"));
    assert_eq!(config.get("isolation.level"), Some("read_committed"));
    assert_eq!(config.get("group.id"), Some("group"));
}

#[test]
fn authorities_are_looked_for_on_the_system_unless_they_are_named() {
    let config = with("security.protocol", "SASL_SSL")
        .unwrap()
        .producer_config(&[]);
    assert_eq!(config.get("ssl.ca.location"), Some("probe"));
    let config = with("security.protocol", "plaintext")
        .unwrap()
        .producer_config(&[]);
    assert_eq!(config.get("ssl.ca.location"), None);
}

#[test]
fn tls_and_sasl_are_built_in() {
    let properties = [
        ("security.protocol", "sasl_ssl"),
        ("sasl.mechanisms", "SCRAM-SHA-512"),
        ("sasl.username", "user"),
        ("sasl.password", "secret"),
        ("compression.codec", "zstd"),
    ];
    let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let connection = Connection::new("127.0.0.1:1", "test", BTreeMap::from(properties)).unwrap();
    Publisher::open(&connection, "test", PublisherOptions::default()).unwrap();
}

#[test]
fn a_certificate_that_cannot_be_read_is_an_error_of_the_settings() {
    let properties = [
        ("security.protocol", "ssl"),
        ("ssl.ca.location", "/does/not/exist.pem"),
    ];
    let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let connection = Connection::new("127.0.0.1:1", "test", BTreeMap::from(properties)).unwrap();
    let error = Publisher::open(&connection, "test", PublisherOptions::default()).unwrap_err();
    assert!(error.to_string().contains("ssl.ca.location"), "{error}");
}
