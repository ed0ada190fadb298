//! A delivery for documents: made up once, and signed as every other.

use std::collections::BTreeMap;

use domain::{EventKind, Secret, SigningKey, schema};
use http::HeaderMap;

use crate::guard::{Guard, GuardSettings};
use crate::request::{PreparedRequest, ToSign};

/// The secret that signs examples. Known to everybody.
pub const EXAMPLE_SECRET: &str = "whsec_7Hq2mZ0vXc9bTn4LkRs8Yd1WgPf6UaEjOi3KxNz5BtM=";
/// Where examples go.
pub const EXAMPLE_URL: &str = "https://api.yourshop.de/webhooks/feedback";

/// The headers and the body of the first attempt at [`EXAMPLE_URL`], signed by
/// [`EXAMPLE_SECRET`] at the moment of the event. `test` makes it a test event.
///
/// # Panics
/// Never: URL and secret are literals that a test reads.
#[must_use]
pub fn example(kind: EventKind, test: bool) -> (HeaderMap, Vec<u8>) {
    let event = schema::example(kind);
    let body = event.to_bytes().expect("an example is a short event");
    let secret = Secret::parse(EXAMPLE_SECRET).expect("this is a secret");
    let target = Guard::new(GuardSettings::default()).check_url(EXAMPLE_URL);
    let prepared = PreparedRequest::new(&BTreeMap::new()).expect("no header is a wrong one");
    let request = ToSign {
        event: kind,
        id: event.id(),
        attempt: 1,
        at: event.timestamp(),
        body: &body,
        keys: &[SigningKey::new(&secret)],
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"),
        test,
    };
    let sign = |headers: &mut HeaderMap| prepared.sign(&request, headers);
    let headers = target
        .expect("this is a URL that may be reached")
        .headers(sign, body.len());
    (headers, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_has_an_example_with_every_header() {
        for kind in EventKind::ALL {
            let (headers, body) = example(kind, true);
            assert_eq!(headers["x-feedbackpro-event"], kind.as_str());
            assert_eq!(headers["content-length"], body.len().to_string());
            let (plain, same) = example(kind, false);
            assert_eq!(plain.len() + 1, headers.len());
            assert_eq!(same, body);
        }
    }
}
