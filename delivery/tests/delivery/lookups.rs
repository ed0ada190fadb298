//! Names, and which of their addresses are connected to.

use std::sync::Arc;

use delivery::{Connector, Egress, Limits, Resolve as _, SystemResolver};
use domain::Cause;

use crate::receiver::{OK, Receiver};
use crate::senders::{
    Answers, FAILS, HANGS, NAME, assert_answered, assert_failed, fill, forgetful, loopback_guard,
    named_client, named_guard, post, short, target,
};
use crate::tls::{Authority, answering};

#[tokio::test]
async fn a_name_with_a_public_and_a_private_address_is_refused() {
    let authority = Authority::new();
    let receiver = Receiver::tls(authority.acceptor(NAME), answering(OK)).await;
    for answer in [
        "127.0.0.1 10.0.0.1",
        "10.0.0.1 127.0.0.1",
        "127.0.0.1 fd00::1",
        "127.0.0.1 ::ffff:127.0.0.1",
        "127.0.0.1 169.254.169.254",
    ] {
        let port = receiver.address.port();
        let answers = Answers::new(&[answer]);
        let client = named_client(port, Limits::default(), authority.file(), &answers);
        let target = target(&client, &format!("https://{NAME}:{port}/"));
        let attempt = post(&client, &target).await;
        assert_failed(
            &attempt,
            Cause::ForbiddenAddress,
            "hooks.shop.example has an address that is refused",
        );
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_to_a_private_address_is_refused_though_a_connection_is_open() {
    let authority = Authority::new();
    let receiver = Receiver::tls(authority.acceptor(NAME), answering(OK)).await;
    let port = receiver.address.port();
    let answers = Answers::new(&["127.0.0.1", "127.0.0.1", "192.168.0.1"]);
    let client = named_client(port, forgetful(), authority.file(), &answers);
    let target = target(&client, &format!("https://{NAME}:{port}/"));
    assert_answered(&post(&client, &target).await, 200);
    let second = post(&client, &target).await;
    assert_answered(&second, 200);
    assert!(second.reused_connection);
    let third = post(&client, &target).await;
    assert_failed(
        &third,
        Cause::ForbiddenAddress,
        "192.168.0.1 is not a public address",
    );
    assert_eq!(
        answers.asked(),
        3,
        "one lookup an attempt: what was checked is connected to"
    );
    assert_eq!(receiver.requests().len(), 2);
}

#[tokio::test]
async fn a_connection_to_an_address_that_the_name_no_longer_has_is_not_used() {
    let authority = Authority::new();
    let old = Receiver::tls(authority.acceptor(NAME), answering(OK)).await;
    let port = old.address.port();
    let address = format!("127.0.0.2:{port}");
    let acceptor = authority.acceptor(NAME);
    let new = Receiver::listen(&address, Some(acceptor), answering(OK)).await;
    let answers = Answers::new(&["127.0.0.1", "127.0.0.2"]);
    let client = named_client(port, forgetful(), authority.file(), &answers);
    let target = target(&client, &format!("https://{NAME}:{port}/"));
    assert_answered(&post(&client, &target).await, 200);
    let second = post(&client, &target).await;
    assert_answered(&second, 200);
    assert!(!second.reused_connection);
    assert_eq!((old.requests().len(), new.requests().len()), (1, 1));
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_refuses() {
    let authority = Authority::new();
    let receiver = Receiver::tls(authority.acceptor(NAME), answering(OK)).await;
    let port = receiver.address.port();
    let answers = Answers::new(&["127.0.0.3 127.0.0.1"]);
    let client = named_client(port, Limits::default(), authority.file(), &answers);
    let target = target(&client, &format!("https://{NAME}:{port}/"));
    assert_answered(&post(&client, &target).await, 200);
    assert_answered(&post(&client, &target).await, 200);
    assert_eq!(answers.asked(), 1, "the answer is remembered");
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_a_dns_error() {
    let answers = Answers::new(&[FAILS]);
    let client = named_client(443, Limits::default(), None, &answers);
    let target = target(&client, &format!("https://{NAME}/"));
    let attempt = post(&client, &target).await;
    assert_failed(
        &attempt,
        Cause::Dns,
        "hooks.shop.example was not found: no such name",
    );
    assert_failed(&post(&client, &target).await, Cause::Dns, "not found");
    assert_eq!(answers.asked(), 1, "failures are remembered for a moment");
}

#[tokio::test]
async fn a_name_server_that_hangs_costs_the_time_limit_and_one_lookup() {
    let answers = Answers::new(&[HANGS]);
    let client = named_client(443, short(), None, &answers);
    let target = target(&client, &format!("https://{NAME}/"));
    for _ in 0..2 {
        let (a, b) = tokio::join!(post(&client, &target), post(&client, &target));
        for attempt in [a, b] {
            assert_failed(&attempt, Cause::Dns, "resolving hooks.shop.example");
        }
    }
    assert_eq!(answers.asked(), 1);
}

#[tokio::test]
async fn an_endpoint_whose_address_is_known_outlives_its_name_server() {
    let authority = Authority::new();
    let receiver = Receiver::tls(authority.acceptor(NAME), answering(OK)).await;
    let port = receiver.address.port();
    for down in [HANGS, FAILS] {
        let answers = Answers::new(&["127.0.0.1", down]);
        let client = named_client(port, forgetful(), authority.file(), &answers);
        let target = target(&client, &format!("https://{NAME}:{port}/"));
        for _ in 0..3 {
            assert_answered(&post(&client, &target).await, 200);
        }
        assert!(answers.asked() > 1);
    }
}

#[tokio::test]
async fn an_address_that_was_refused_is_not_replaced_by_an_older_one() {
    let authority = Authority::new();
    let receiver = Receiver::tls(authority.acceptor(NAME), answering(OK)).await;
    let port = receiver.address.port();
    let answers = Answers::new(&["127.0.0.1", "10.0.0.1", FAILS]);
    let client = named_client(port, forgetful(), authority.file(), &answers);
    let target = target(&client, &format!("https://{NAME}:{port}/"));
    assert_answered(&post(&client, &target).await, 200);
    assert_failed(
        &post(&client, &target).await,
        Cause::ForbiddenAddress,
        "10.0.0.1",
    );
    assert_failed(&post(&client, &target).await, Cause::Dns, "no such name");
}

#[tokio::test]
async fn the_system_resolves_names_and_the_guard_refuses_what_it_finds() {
    let found = SystemResolver.resolve("localhost").await.unwrap();
    assert!(!found.is_empty());
    for ip in found {
        assert!(ip.is_loopback(), "{ip}");
        assert!(loopback_guard().check_address(ip).is_err(), "{ip}");
    }
}

#[tokio::test]
async fn a_test_event_is_guarded_too() {
    let answers = Answers::new(&["127.0.0.1 10.0.0.1"]);
    let connector = Connector::new(named_guard(443), Limits::default(), &Egress::default());
    let connector = connector.unwrap().with_resolver(Arc::clone(&answers) as _);
    let target = connector
        .guard()
        .check_url(&format!("https://{NAME}/"))
        .unwrap();
    let attempt = connector
        .send_once(&target, fill, bytes::Bytes::new())
        .await;
    assert_failed(&attempt, Cause::ForbiddenAddress, "10.0.0.1");
    assert_eq!(
        attempt.failure().unwrap(),
        "forbidden_address: hooks.shop.example has an address that is refused: 10.0.0.1 is not a public address \
         (private use, RFC 1918)"
    );
}
