//! The headers of an attempt: the one place that knows them, for the dispatcher and for
//! test events. `Host`, `Content-Type` and `User-Agent` come from
//! [`Target`](crate::Target).

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::{
    EventId, EventKind, SigningKey, Timestamp, feedbackpro_signature, standard_signature,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::guard::{HeaderFault, Refused};

/// How many headers a customer may add.
const MAX_CUSTOM_HEADERS: usize = 20;
/// How long their names and values may be together, in bytes.
const MAX_CUSTOM_HEADER_BYTES: usize = 4 * 1024;

const EVENT: HeaderName = HeaderName::from_static("x-feedbackpro-event");
const PAGE_SIGNATURE: HeaderName = HeaderName::from_static("x-feedbackpro-signature");
const ATTEMPT: HeaderName = HeaderName::from_static("x-feedbackpro-attempt");
const TEST: HeaderName = HeaderName::from_static("x-feedbackpro-test");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What begins with one of these is ours, also what comes later.
const OWN_PREFIXES: [&str; 2] = ["x-feedbackpro-", "webhook-"];
/// Ours beside those, and those that describe the body as we send it.
const OWN_NAMES: [&str; 8] = [
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "idempotency-key",
    "traceparent",
    "user-agent",
];
/// For one connection only (RFC 9110 section 7.6.1, RFC 2616 section 13.5.1).
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What the requests to one endpoint have in common beside its
/// [`Target`](crate::Target); made once for each version of its record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PreparedRequest {
    custom: Vec<(HeaderName, HeaderValue)>,
}

/// One attempt that is about to be signed.
#[derive(Debug, Clone, Copy)]
pub struct ToSign<'a> {
    /// Which event.
    pub event: EventKind,
    /// Its id, which is also the idempotency key.
    pub id: EventId,
    /// The number of the attempt, 1 at first.
    pub attempt: u32,
    /// The moment of this attempt.
    pub at: Timestamp,
    /// The bytes that are sent.
    pub body: &'a [u8],
    /// The keys that sign now, the newest first.
    pub keys: &'a [SigningKey],
    /// W3C Trace Context; left out where it cannot stand in a header.
    pub traceparent: Option<&'a str>,
    /// A test event: says so in a header.
    pub test: bool,
}

impl PreparedRequest {
    /// With the customer's own headers.
    ///
    /// # Errors
    /// [`Refused::Header`] for a name or value that is no header, one that is not the
    /// customer's to set, one that stands twice, and more than the limits allow
    /// (20 headers, 4096 bytes of names and values).
    pub fn new(custom: &BTreeMap<String, String>) -> Result<Self, Refused> {
        let mut checked: Vec<(HeaderName, HeaderValue)> = Vec::with_capacity(custom.len());
        let mut bytes = 0;
        for (name, value) in custom {
            let refuse = |reason| Refused::Header {
                name: name.chars().take(64).collect(),
                reason,
            };
            if checked.len() == MAX_CUSTOM_HEADERS {
                return Err(refuse(HeaderFault::TooMany));
            }
            bytes += name.len() + value.len();
            if bytes > MAX_CUSTOM_HEADER_BYTES {
                return Err(refuse(HeaderFault::TooLong));
            }
            let (name, value) = check(name, value).map_err(refuse)?;
            if checked.iter().any(|(other, _)| *other == name) {
                return Err(refuse(HeaderFault::Twice));
            }
            checked.push((name, value));
        }
        Ok(Self { custom: checked })
    }

    /// Sets the customer's headers and ours, signed, in place of what stands under their
    /// names: for the `fill` of [`Client::send`](crate::Client::send) and
    /// [`Connector::send_once`](crate::Connector::send_once).
    pub fn sign(&self, request: &ToSign<'_>, headers: &mut HeaderMap) {
        for (name, value) in &self.custom {
            headers.insert(name.clone(), value.clone());
        }
        let id = request.id.to_string();
        let standard = standard_signature(request.keys, &id, request.at, request.body);
        let id = ascii(id);
        headers.insert(EVENT, HeaderValue::from_static(request.event.as_str()));
        let page = feedbackpro_signature(request.keys, request.body);
        headers.insert(PAGE_SIGNATURE, ascii(page));
        headers.insert(IDEMPOTENCY_KEY, id.clone());
        headers.insert(WEBHOOK_ID, id);
        let seconds = request.at.millis().div_euclid(1_000);
        headers.insert(WEBHOOK_TIMESTAMP, seconds.into());
        headers.insert(WEBHOOK_SIGNATURE, ascii(standard));
        headers.insert(ATTEMPT, request.attempt.into());
        if let Some(Ok(trace)) = request.traceparent.map(HeaderValue::from_str) {
            headers.insert(TRACEPARENT, trace);
        }
        if request.test {
            headers.insert(TEST, HeaderValue::from_static("true"));
        }
    }
}

fn check(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), HeaderFault> {
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderFault::Name)?;
    let lower = header.as_str();
    if OWN_NAMES.contains(&lower) || OWN_PREFIXES.iter().any(|own| lower.starts_with(own)) {
        return Err(HeaderFault::Own);
    }
    if HOP_BY_HOP.contains(&lower) {
        return Err(HeaderFault::HopByHop);
    }
    // Not what `http` allows: it lets bytes beyond ASCII pass, which servers
    // read in different ways.
    if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(HeaderFault::Value);
    }
    let value = HeaderValue::from_str(value).map_err(|_| HeaderFault::Value)?;
    Ok((header, value))
}

/// A value of ids, digits and base64, without copying it.
fn ascii(text: String) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::from(text))
        .expect("ids and signatures are printable ASCII")
}

#[cfg(test)]
mod tests {
    use domain::Secret;

    use super::*;

    fn custom(headers: &[(&str, &str)]) -> BTreeMap<String, String> {
        headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn an_attempt_carries_every_header_of_the_contract_once() {
        let secrets = [
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ];
        let keys = secrets.map(|text| SigningKey::new(&Secret::parse(text).unwrap()));
        let prepared = PreparedRequest::new(&custom(&[("X-Shop", "north 7")])).unwrap();
        let id = "evt_00000000000000000000000000000abc";
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let request = ToSign {
            event: EventKind::RatingSubmitted,
            id: id.parse().unwrap(),
            attempt: 3,
            at: Timestamp::from_millis(1_718_461_920_999),
            body: br#"{"a":1}"#,
            keys: &keys,
            traceparent: Some(trace),
            test: true,
        };
        let page = feedbackpro_signature(&keys, request.body);
        let standard = standard_signature(&keys, id, request.at, request.body);
        assert_eq!(page.matches("sha256=").count(), 2);
        assert_eq!(standard.matches("v1,").count(), 2);
        let expected = [
            ("x-shop", "north 7"),
            ("x-feedbackpro-event", "rating_submitted"),
            ("x-feedbackpro-signature", page.as_str()),
            ("idempotency-key", id),
            ("webhook-id", id),
            ("webhook-timestamp", "1718461920"),
            ("webhook-signature", standard.as_str()),
            ("x-feedbackpro-attempt", "3"),
            ("traceparent", trace),
            ("x-feedbackpro-test", "true"),
        ];
        let mut headers = HeaderMap::new();
        // The request may be filled a second time.
        for _ in 0..2 {
            prepared.sign(&request, &mut headers);
            assert_eq!(headers.len(), expected.len());
            for (name, value) in expected {
                assert_eq!(headers.get(name).unwrap(), value, "{name}");
            }
        }
        let plain = ToSign {
            traceparent: Some("two\r\nlines"),
            test: false,
            ..request
        };
        let mut headers = HeaderMap::new();
        prepared.sign(&plain, &mut headers);
        assert_eq!(headers.len(), expected.len() - 2);
    }

    #[test]
    fn headers_that_are_not_the_customers_are_refused() {
        let long = "v".repeat(MAX_CUSTOM_HEADER_BYTES);
        for (name, value) in [
            ("Host", "a.example"),
            ("content-TYPE", "text/plain"),
            ("User-Agent", "curl"),
            ("X-FeedbackPro-Signature", "sha256=0"),
            ("x-feedbackpro-later", "1"),
            ("Webhook-Id", "1"),
            ("Idempotency-Key", "1"),
            ("traceparent", "1"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "close"),
            ("Content-Length", "0"),
            ("X Shop", "1"),
            ("", "1"),
            ("X-Shop", "a\r\nX-FeedbackPro-Test: true"),
            ("X-Shop", "Umläute"),
            ("X-Shop", long.as_str()),
        ] {
            let refused = PreparedRequest::new(&custom(&[(name, value)])).unwrap_err();
            assert!(
                matches!(refused, Refused::Header { .. }),
                "{name}: {refused}"
            );
        }
        assert!(PreparedRequest::new(&custom(&[("X-A", "1"), ("x-a", "2")])).is_err());
        let many: BTreeMap<String, String> = (0..=MAX_CUSTOM_HEADERS)
            .map(|n| (format!("X-{n}"), String::new()))
            .collect();
        let refused = PreparedRequest::new(&many).unwrap_err();
        assert!(refused.to_string().contains("20 headers"), "{refused}");
    }
}
