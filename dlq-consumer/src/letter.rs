//! One record of `webhooks.dead-letter`, as the failed list keeps it.

use std::collections::BTreeMap;

use domain::record::{
    DeliveryHeaders, EventHeaders, MAX_HEADER_BYTES, NotAnEvent, RecordError, cut, header,
};
use domain::{AccountId, DeadLetterReason, DeliveryId, EventKind, Timestamp};

/// Headers by name. Each name stands once; the last value counts.
pub(crate) type Headers = BTreeMap<String, String>;

/// A failure: a delivery that was given up, or a record that nobody can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Where it stands on the topic: the order of the list, and its cursor.
    pub(crate) offset: i64,
    /// The record's key: a delivery id, or where a poison record stands.
    pub(crate) id: String,
    /// Not a delivery that could be sent again: only operators see it.
    pub(crate) poison: bool,
    pub(crate) account: Option<AccountId>,
    pub(crate) event_id: Option<String>,
    pub(crate) event: Option<EventKind>,
    pub(crate) endpoint: Option<String>,
    pub(crate) reason: DeadLetterReason,
    /// How many attempts were made.
    pub(crate) attempts: u32,
    pub(crate) last_status: Option<u16>,
    pub(crate) last_error: Option<String>,
    pub(crate) first_attempt_at: Option<Timestamp>,
    /// The record's timestamp.
    pub(crate) failed_at: Timestamp,
    /// The headers that a re-send writes again.
    pub(crate) headers: Headers,
    /// The envelope's bytes, whatever they are for poison.
    pub(crate) value: Vec<u8>,
}

/// The headers that are kept: those of the product.
const KEPT: [&str; 16] = [
    header::ACCOUNT,
    header::CE_ID,
    header::CE_TYPE,
    header::CE_SOURCE,
    header::CE_TIME,
    header::CE_SPECVERSION,
    header::TRACEPARENT,
    header::ENDPOINT,
    header::ATTEMPT,
    header::FIRST_AT,
    header::DUE_AT,
    header::DEFERRALS,
    header::LAST_STATUS,
    header::LAST_ERROR,
    header::REASON,
    header::SOURCE,
];

/// Why a record is no delivery.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotADelivery {
    #[error(transparent)]
    Event(#[from] NotAnEvent),
    #[error(transparent)]
    Delivery(#[from] RecordError),
    #[error("the key is not the id of the delivery in the headers")]
    OtherKey,
    #[error("the dispatcher could not read the record")]
    SaidSo,
}

impl Letter {
    /// Reads a record. `get` gives the last value of a header. A record that
    /// is no delivery is poison, with all that can be read of it.
    pub(crate) fn read<'a>(
        offset: i64,
        id: &str,
        failed_at: Timestamp,
        value: &[u8],
        get: impl Fn(&str) -> Option<&'a [u8]>,
    ) -> Self {
        let headers = kept(&get);
        match delivery(id, value, &headers) {
            Ok((event, delivery, reason)) => Self {
                offset,
                id: id.to_owned(),
                poison: false,
                account: Some(event.account),
                event_id: Some(event.id.to_string()),
                event: Some(event.kind),
                endpoint: Some(delivery.endpoint.to_string()),
                reason,
                attempts: delivery.attempt,
                last_status: delivery.last_status,
                last_error: delivery.last_error.map(|error| error.to_string()),
                first_attempt_at: Some(delivery.first_at),
                failed_at,
                headers,
                value: value.to_vec(),
            },
            Err(why) => Self::poison(offset, id, failed_at, value, headers, &why),
        }
    }

    fn poison(
        offset: i64,
        id: &str,
        failed_at: Timestamp,
        value: &[u8],
        headers: Headers,
        why: &NotADelivery,
    ) -> Self {
        let text = |name: &str| headers.get(name).cloned();
        let millis = |text: &String| text.parse().ok().map(Timestamp::from_millis);
        Self {
            offset,
            id: id.to_owned(),
            poison: true,
            account: text(header::ACCOUNT).and_then(|account| account.parse().ok()),
            event_id: text(header::CE_ID),
            event: text(header::CE_TYPE).and_then(|kind| EventKind::parse(&kind)),
            endpoint: text(header::ENDPOINT),
            reason: DeadLetterReason::Undecodable,
            attempts: text(header::ATTEMPT)
                .and_then(|attempts| attempts.parse().ok())
                .unwrap_or(0),
            last_status: text(header::LAST_STATUS).and_then(|status| status.parse().ok()),
            last_error: Some(text(header::LAST_ERROR).unwrap_or_else(|| why.to_string())),
            first_attempt_at: headers.get(header::FIRST_AT).and_then(millis),
            failed_at,
            headers,
            value: value.to_vec(),
        }
    }
}

/// The event and the delivery of a record, when it is one that can be sent again.
fn delivery(
    id: &str,
    value: &[u8],
    headers: &Headers,
) -> Result<(EventHeaders, DeliveryHeaders, DeadLetterReason), NotADelivery> {
    let event = EventHeaders::beside(value, values(headers))?;
    let delivery = delivery_headers(headers)?;
    let reason = delivery
        .reason
        .ok_or(RecordError::Missing(header::REASON))?;
    if reason == DeadLetterReason::Undecodable {
        return Err(NotADelivery::SaidSo);
    }
    if id.parse() != Ok::<DeliveryId, _>(delivery.id(event.id)) {
        return Err(NotADelivery::OtherKey);
    }
    Ok((event, delivery, reason))
}

/// The event's headers out of those that were kept.
pub(crate) fn event_headers(headers: &Headers) -> Result<EventHeaders, RecordError> {
    EventHeaders::read(values(headers))
}

/// The delivery's headers out of those that were kept.
pub(crate) fn delivery_headers(headers: &Headers) -> Result<DeliveryHeaders, RecordError> {
    DeliveryHeaders::read(values(headers))
}

fn values<'a>(headers: &'a Headers) -> impl Fn(&str) -> Option<&'a [u8]> {
    |name| headers.get(name).map(String::as_bytes)
}

fn kept<'a>(get: &impl Fn(&str) -> Option<&'a [u8]>) -> Headers {
    let text = |name: &str| {
        let text = String::from_utf8_lossy(get(name)?).into_owned();
        Some((name.to_owned(), cut(&text, MAX_HEADER_BYTES).to_owned()))
    };
    KEPT.into_iter().filter_map(text).collect()
}
