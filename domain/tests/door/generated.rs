//! Values made by proptest, for round trips.

use domain::{
    Email, EndpointId, Envelope, EventData, EventId, Locale, NewFeedback, NpsCalculated,
    RatingSubmitted, Score, Seconds, Segment, Text, Timestamp, WidgetDismissed,
};
use proptest::{option, prelude::*};

fn text() -> impl Strategy<Value = Text> {
    // Any characters at all: quotes, control characters, emoji.
    "(?s).{1,40}".prop_map(|text| Text::new(&text).unwrap())
}

fn email() -> impl Strategy<Value = Email> {
    "[a-zäöü0-9]{1,12}(\\.[a-z]{1,8})?@[a-zäöü]{1,12}\\.(de|example)"
        .prop_map(|address| Email::new(&address).unwrap())
}

fn locale() -> impl Strategy<Value = Locale> {
    "[a-z]{2}(-[A-Z]{2})?".prop_map(|tag| Locale::new(&tag).unwrap())
}

fn seconds() -> impl Strategy<Value = Seconds> {
    any::<u32>().prop_map(Seconds::new)
}

fn score() -> impl Strategy<Value = Score> {
    (1_u8..=5).prop_map(|stars| Score::new(stars).unwrap())
}

fn segment() -> impl Strategy<Value = Segment> {
    prop_oneof![
        Just(Segment::Promoter),
        Just(Segment::Passive),
        Just(Segment::Detractor),
    ]
}

pub(crate) fn event_data() -> impl Strategy<Value = EventData> {
    let customer = || (option::of(text()), option::of(email()), text());
    prop_oneof![
        (
            customer(),
            text(),
            option::of(locale()),
            option::of(seconds())
        )
            .prop_map(
                |((customer_id, email, session_page), comment, browser_locale, seconds)| {
                    EventData::NewFeedback(NewFeedback {
                        customer_id,
                        email,
                        comment,
                        browser_locale,
                        session_duration_seconds: seconds,
                        session_page,
                    })
                }
            ),
        (customer(), score(), text()).prop_map(
            |((customer_id, email, session_page), score, product_sku)| {
                EventData::RatingSubmitted(RatingSubmitted {
                    customer_id,
                    email,
                    score,
                    product_sku,
                    session_page,
                })
            }
        ),
        (customer(), segment(), text()).prop_map(
            |((customer_id, email, session_page), segment, response_id)| {
                EventData::NpsCalculated(NpsCalculated {
                    customer_id,
                    email,
                    segment,
                    response_id,
                    session_page,
                })
            }
        ),
        (customer(), option::of(text()), option::of(seconds())).prop_map(
            |((customer_id, email, session_page), product_sku, seconds)| {
                EventData::WidgetDismissed(WidgetDismissed {
                    customer_id,
                    email,
                    product_sku,
                    session_duration_seconds: seconds,
                    session_page,
                })
            }
        ),
    ]
}

pub(crate) fn event_id() -> impl Strategy<Value = EventId> {
    any::<u128>().prop_map(|bits| format!("evt_{bits:032x}").parse().unwrap())
}

pub(crate) fn endpoint_id() -> impl Strategy<Value = EndpointId> {
    any::<u128>().prop_map(|bits| format!("ep_{bits:032x}").parse().unwrap())
}

pub(crate) fn timestamp() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

pub(crate) fn envelope() -> impl Strategy<Value = Envelope> {
    (event_id(), timestamp(), event_data())
        .prop_map(|(id, timestamp, data)| Envelope::new(id, timestamp, data))
}
