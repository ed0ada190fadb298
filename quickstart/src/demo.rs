//! The demo account: its token, its endpoint, and the first events.

use std::{collections::BTreeMap, path::Path, sync::LazyLock};

use anyhow::Context;
use domain::{
    AccountId, Endpoint, EndpointId, EventData, EventKind, Filter, KeyRing, Secret, Submission,
    Timestamp, Topics,
};
use kafka::{Publisher, PublisherOptions, Record};
use sha2::{Digest, Sha256};

use crate::{cluster::Cluster, receiver::Receiver};

/// The account that everything belongs to.
pub(crate) const ACCOUNT: &str = "demo";
/// The endpoint's id, the same each time: on a real broker a second run
/// replaces the first one's endpoint.
const ENDPOINT: &str = "ep_00000000000000000000000000000001";
/// What seals secrets here. Known to everybody, hence for demonstrations only.
pub(crate) const SEALING_KEY: (&str, &str) =
    ("quickstart", "cXVpY2tzdGFydCBvbmx5LCBub3QgYSBzZWNyZXQhISE=");
/// How many events the samples file holds.
pub(crate) const SAMPLE_COUNT: usize = 289;

static DEMO: LazyLock<AccountId> =
    LazyLock::new(|| ACCOUNT.parse().expect("the demo account's name is valid"));

/// Who may do what in the demo account.
pub(crate) struct Tokens {
    /// Everything of the account.
    pub(crate) account: String,
    /// Sends events, and only from the pages of `origin`: it stands in the
    /// shop's page, where everybody reads it.
    pub(crate) widget: String,
    /// The demo shop's origin.
    pub(crate) origin: String,
}

/// A token nobody else knows.
pub(crate) fn new_token() -> String {
    format!("fbp_{}", random_hex())
}

/// 32 random hexadecimal digits.
pub(crate) fn random_hex() -> String {
    let mut random = [0; 16];
    getrandom::fill(&mut random).expect("the operating system gives randomness");
    format!("{:032x}", u128::from_be_bytes(random))
}

/// The form in which settings hold a token.
pub(crate) fn sha256(token: &str) -> String {
    Sha256::digest(token)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The samples in the source tree, for the commands that are shown.
pub(crate) fn samples_file() -> &'static Path {
    let from_its_root = Path::new("quickstart/samples/events.ndjson");
    if from_its_root.exists() {
        return from_its_root;
    }
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/samples/events.ndjson"
    ))
}

/// Writes the demo endpoint and one event of each kind. Gives how many events
/// the receiver will get.
pub(crate) async fn publish(
    cluster: &Cluster,
    topics: &Topics,
    receiver: &Receiver,
    receiver_port: u16,
) -> anyhow::Result<usize> {
    let connection = cluster.connection()?;
    let secret = Secret::generate();
    receiver.knows(&secret);
    let endpoint = endpoint(&secret, receiver_port)?;
    let records = Publisher::open(&connection, "quickstart", PublisherOptions::default())?;
    let key = endpoint.id.to_string();
    let value = serde_json::to_vec(&endpoint)?;
    // On a real broker an earlier run may have left it disabled.
    let state = domain::EndpointKey::State(endpoint.id).to_string();
    records
        .publish(Record::tombstone(
            topics.endpoints.as_str(),
            state.as_bytes(),
        ))
        .await
        .context("the demo endpoint cannot be written")?;
    records
        .publish(Record::new(
            topics.endpoints.as_str(),
            key.as_bytes(),
            value,
        ))
        .await
        .context("the demo endpoint cannot be written")?;
    let events = producer::Publisher::connect(&connection, topics, PublisherOptions::default())?;
    for kind in EventKind::ALL {
        let submission = Submission {
            timestamp: None,
            data: EventData::example(kind),
        };
        events.publish(&DEMO, submission, None).await?;
    }
    Ok(EventKind::ALL.len())
}

fn endpoint(secret: &Secret, receiver_port: u16) -> anyhow::Result<Endpoint> {
    let id: EndpointId = ENDPOINT.parse()?;
    let now = Timestamp::now();
    let keys = KeyRing::new([SEALING_KEY])?;
    Ok(Endpoint {
        id,
        account: DEMO.clone(),
        url: format!("http://127.0.0.1:{receiver_port}/webhooks/feedback"),
        events: EventKind::ALL.into(),
        filter: Filter::default(),
        description: Some("Demo receiver".to_owned()),
        headers: BTreeMap::new(),
        max_per_second: None,
        paused: false,
        activation: 0,
        version: 1,
        secrets: vec![keys.seal(&DEMO, id, secret)],
        created_at: now,
        updated_at: now,
    })
}
