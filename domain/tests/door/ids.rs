//! Identifiers.

use std::collections::HashSet;

use domain::{AccountId, DeliveryId, EndpointId, EventId, partition_key};
use proptest::prelude::*;

use crate::generated;

fn account(name: &str) -> AccountId {
    name.parse().unwrap()
}

#[test]
fn the_same_idempotency_key_gives_the_same_id_everywhere() {
    // The first 128 bits of HMAC-SHA256, as `openssl dgst -hmac acme` says too.
    assert_eq!(
        EventId::from_idempotency_key(&account("acme"), "order-4711").to_string(),
        "evt_b6b58d881ced8de5ddb79c7841529c74"
    );
}

#[test]
fn another_account_or_another_key_gives_another_id() {
    let ids: HashSet<EventId> = [
        ("acme", "order-4711"),
        ("acme2", "order-4711"),
        ("acme", "2order-4711"),
        ("acme", "order-4712"),
        ("acme", "order-4711/1"),
    ]
    .into_iter()
    .map(|(name, key)| EventId::from_idempotency_key(&account(name), key))
    .collect();
    assert_eq!(ids.len(), 5);
}

#[test]
fn made_ids_are_all_different_and_those_of_events_grow() {
    let events: Vec<EventId> = (0..1_000).map(|_| EventId::generate()).collect();
    assert!(events.windows(2).all(|pair| pair[0] < pair[1]));
    let endpoints: HashSet<EndpointId> = (0..1_000).map(|_| EndpointId::generate()).collect();
    assert_eq!(endpoints.len(), 1_000);
}

#[test]
fn what_is_no_event_id_is_refused_with_what_is_allowed() {
    for wrong in [
        "",
        "evt_",
        "evt_8f3a2c91",
        "evt_0190BF5CE3807A6B9D2C8F3A2C91E047",
        "ep_0190bf5ce3807a6b9d2c8f3a2c91e047",
        "0190bf5ce3807a6b9d2c8f3a2c91e047",
        "evt_+190bf5ce3807a6b9d2c8f3a2c91e047",
        "evt_0190bf5ce3807a6b9d2c8f3a2c91e0470",
        " evt_0190bf5ce3807a6b9d2c8f3a2c91e047",
    ] {
        let error = wrong.parse::<EventId>().unwrap_err().to_string();
        assert!(error.contains("evt_ and 32 lower-case hex"), "{error}");
    }
}

#[test]
fn a_delivery_id_is_the_event_and_the_endpoint_with_a_dot_between() {
    let text =
        "evt_0190bf5ce3807a6b9d2c8f3a2c91e047.ep_00000000000000000000000000000001".to_owned();
    let id: DeliveryId = text.parse().unwrap();
    assert_eq!(id.to_string(), text);
    for wrong in [
        "evt_0190bf5ce3807a6b9d2c8f3a2c91e047",
        "evt_0190bf5ce3807a6b9d2c8f3a2c91e047.",
        "evt_0190bf5ce3807a6b9d2c8f3a2c91e047.ep_1",
        "ep_00000000000000000000000000000001.evt_0190bf5ce3807a6b9d2c8f3a2c91e047",
        "feedback.events.3.17",
    ] {
        let error = wrong.parse::<DeliveryId>().unwrap_err().to_string();
        assert!(error.contains("<event id>.<endpoint id>"), "{error}");
    }
}

#[test]
fn an_account_is_a_short_name_without_separators() {
    let longest = "a".repeat(64);
    for fine in ["a", "Shop_42.de-DE", longest.as_str()] {
        assert_eq!(account(fine).as_str(), fine);
    }
    let too_long = "a".repeat(65);
    for wrong in ["", "a/b", "a b", "müller", too_long.as_str()] {
        assert!(wrong.parse::<AccountId>().is_err(), "{wrong:?}");
    }
}

#[test]
fn the_partition_key_is_a_hash_of_account_and_customer_or_event() {
    // echo -n acme/cus_9021 | sha256sum | head -c 32
    let event: EventId = "evt_0190bf5ce3807a6b9d2c8f3a2c91e047".parse().unwrap();
    assert_eq!(
        partition_key(&account("acme"), Some("cus_9021"), event),
        "e3ff2e01d57e4fa27b9e837dd1c37774"
    );
    assert_eq!(
        partition_key(&account("acme"), Some("cus_9021"), EventId::generate()),
        "e3ff2e01d57e4fa27b9e837dd1c37774",
        "a customer's events share a key"
    );
    assert_eq!(
        partition_key(&account("acme"), None, event),
        "05f7bfe3dcda3abd34d0d55427cb7266",
        "without a customer each event has its own, leading zeros kept"
    );
}

proptest! {
    #[test]
    fn ids_are_the_same_after_writing_and_reading(
        event in generated::event_id(),
        endpoint in generated::endpoint_id(),
    ) {
        let delivery = DeliveryId { event, endpoint };
        prop_assert_eq!(event.to_string().parse(), Ok(event));
        prop_assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
        prop_assert_eq!(delivery.to_string().parse(), Ok(delivery));
        prop_assert_eq!(EventId::from_bytes(event.to_bytes()), event);
        prop_assert_eq!(EndpointId::from_bytes(endpoint.to_bytes()), endpoint);
        let json = serde_json::to_string(&delivery).unwrap();
        prop_assert_eq!(serde_json::from_str::<DeliveryId>(&json).unwrap(), delivery);
    }
}
