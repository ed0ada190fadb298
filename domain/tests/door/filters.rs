//! Filters: what may stand in one, and which events get past it.

use std::collections::BTreeSet;

use domain::{
    Condition, DataField, Envelope, EventData, EventKind, Filter, FilteredEvent, MAX_CONDITIONS,
    Operand, Operator,
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use crate::{
    events::valid,
    generated::{envelope, event_data},
};

fn filter(conditions: &Value) -> Filter {
    serde_json::from_value(conditions.clone()).unwrap()
}

/// The whole refusal of a filter.
fn refused(conditions: &Value) -> String {
    let read: Result<Filter, _> = serde_json::from_value(conditions.clone());
    read.unwrap_err().to_string()
}

/// Whether an event with this data gets past.
fn passes(conditions: &Value, kind: EventKind, change: Value) -> bool {
    let mut event = valid(kind);
    for (field, value) in change.as_object().unwrap() {
        event["data"][field] = value.clone();
    }
    let body = event.to_string();
    filter(conditions).lets_pass(&FilteredEvent::new(kind, body.as_bytes()))
}

#[test]
fn the_fields_are_those_of_the_four_events() {
    for kind in EventKind::ALL {
        let data = serde_json::to_value(EventData::example(kind)).unwrap();
        let carried: BTreeSet<&str> = data
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let known: BTreeSet<&str> = DataField::ALL
            .into_iter()
            .filter(|field| field.is_carried_by(kind))
            .map(DataField::as_str)
            .collect();
        assert_eq!(known, carried, "{kind}");
    }
    for field in DataField::ALL {
        assert_eq!(DataField::parse(field.as_str()), Some(field));
        assert_eq!(json!(field), json!(field.as_str()));
    }
    for operator in Operator::ALL {
        assert_eq!(Operator::parse(operator.as_str()), Some(operator));
        assert_eq!(json!(operator), json!(operator.as_str()));
    }
}

#[test]
fn each_operator_compares_as_it_says() {
    use EventKind::{NewFeedback, NpsCalculated, RatingSubmitted, WidgetDismissed};
    for (field, operator, value, kind, found, expected) in [
        (
            "score",
            "at_most",
            json!(2),
            RatingSubmitted,
            json!(1),
            true,
        ),
        (
            "score",
            "at_most",
            json!(2),
            RatingSubmitted,
            json!(2),
            true,
        ),
        (
            "score",
            "at_most",
            json!(2),
            RatingSubmitted,
            json!(3),
            false,
        ),
        (
            "score",
            "at_least",
            json!(4),
            RatingSubmitted,
            json!(4),
            true,
        ),
        (
            "score",
            "at_least",
            json!(4),
            RatingSubmitted,
            json!(3),
            false,
        ),
        ("score", "equals", json!(3), RatingSubmitted, json!(3), true),
        (
            "score",
            "equals",
            json!(3),
            RatingSubmitted,
            json!(4),
            false,
        ),
        (
            "segment",
            "equals",
            json!("Detractor"),
            NpsCalculated,
            json!("Detractor"),
            true,
        ),
        (
            "segment",
            "equals",
            json!("Detractor"),
            NpsCalculated,
            json!("Passive"),
            false,
        ),
        (
            "product_sku",
            "starts_with",
            json!("BW-"),
            RatingSubmitted,
            json!("BW-440"),
            true,
        ),
        (
            "product_sku",
            "starts_with",
            json!("BW-"),
            RatingSubmitted,
            json!("bw-440"),
            false,
        ),
        (
            "product_sku",
            "starts_with",
            json!("BW-"),
            RatingSubmitted,
            json!("B"),
            false,
        ),
        (
            "comment",
            "starts_with",
            json!("„Größe\" 🎉"),
            NewFeedback,
            json!("„Größe\" 🎉\n"),
            true,
        ),
        (
            "browser_locale",
            "equals",
            json!("de-AT"),
            NewFeedback,
            json!("de-AT"),
            true,
        ),
        (
            "browser_locale",
            "equals",
            json!("de-AT"),
            NewFeedback,
            json!("de"),
            false,
        ),
        (
            "session_duration_seconds",
            "at_least",
            json!(60),
            WidgetDismissed,
            json!(4_294_967_295_u32),
            true,
        ),
        (
            "session_duration_seconds",
            "at_least",
            json!(60),
            WidgetDismissed,
            json!(59),
            false,
        ),
    ] {
        let conditions = json!([{"field": field, "operator": operator, "value": value}]);
        let got = passes(&conditions, kind, json!({field: found}));
        assert_eq!(got, expected, "{field}: {found} {operator} {value}");
    }
}

#[test]
fn all_conditions_that_concern_an_event_must_hold() {
    let conditions = json!([
        {"field": "score", "operator": "at_most", "value": 2},
        {"field": "product_sku", "operator": "starts_with", "value": "BW-"},
    ]);
    for (score, sku, expected) in [(2, "BW-1", true), (3, "BW-1", false), (2, "CX-1", false)] {
        let change = json!({"score": score, "product_sku": sku});
        let got = passes(&conditions, EventKind::RatingSubmitted, change);
        assert_eq!(got, expected, "{score} {sku}");
    }
    // It has no score, but a product; the third has neither.
    let dismissed = |sku| {
        passes(
            &conditions,
            EventKind::WidgetDismissed,
            json!({"product_sku": sku}),
        )
    };
    assert!(dismissed(json!("BW-1")));
    assert!(!dismissed(json!("CX-1")));
    assert!(passes(&conditions, EventKind::NewFeedback, json!({})));
}

#[test]
fn no_condition_holds_for_null() {
    for (field, operator, value) in [
        ("product_sku", "starts_with", json!("B")),
        ("product_sku", "equals", json!("null")),
        ("session_duration_seconds", "at_least", json!(0)),
        (
            "session_duration_seconds",
            "at_most",
            json!(4_294_967_295_u32),
        ),
    ] {
        let conditions = json!([{"field": field, "operator": operator, "value": value}]);
        let change = json!({field: null});
        assert!(
            !passes(&conditions, EventKind::WidgetDismissed, change),
            "{field}"
        );
    }
}

#[test]
fn what_is_no_data_passes_and_fields_of_a_newer_producer_do_no_harm() {
    let low = filter(&json!([{"field": "score", "operator": "at_most", "value": 2}]));
    let lets_pass = |body: &str| {
        low.lets_pass(&FilteredEvent::new(
            EventKind::RatingSubmitted,
            body.as_bytes(),
        ))
    };
    for unreadable in ["", "[]", r#"{"data":[1]}"#, r#"{"data":{"score":5}"#] {
        assert!(lets_pass(unreadable), "{unreadable}");
    }
    assert!(lets_pass(
        r#"{"colour":1,"data":{"colour":["a"],"score":1}}"#
    ));
    assert!(!lets_pass(
        r#"{"colour":1,"data":{"colour":["a"],"score":5}}"#
    ));
    assert!(
        !lets_pass(r#"{"data":{"score":"1"}}"#),
        "a text is no number"
    );
}

#[test]
fn what_does_not_fit_is_told_with_its_place_and_what_is_allowed() {
    let condition = |field: &str, operator: &str, value: Value| json!([{"field": field, "operator": operator, "value": value}]);
    for (conditions, words) in [
        (
            condition("score", "starts_with", json!("4")),
            "[0].operator: found starts_with, allowed is equals, at_most or at_least for score",
        ),
        (
            condition("segment", "at_most", json!("Passive")),
            "[0].operator: found at_most, allowed is equals for segment",
        ),
        (
            condition("comment", "at_least", json!(1)),
            "[0].operator: found at_least, allowed is equals or starts_with for comment",
        ),
        (
            condition("score", "at_most", json!(6)),
            "[0].value: found 6, allowed is a whole number from 1 to 5",
        ),
        (
            condition("score", "equals", json!("4")),
            "[0].value: found \"4\", allowed is a whole number from 1 to 5",
        ),
        (
            condition(
                "session_duration_seconds",
                "at_least",
                json!(4_294_967_296_u64),
            ),
            "[0].value: found 4294967296, allowed is a whole number of seconds from 0 to 4294967295",
        ),
        (
            condition("segment", "equals", json!("detractor")),
            "[0].value: found \"detractor\", allowed is Promoter, Passive or Detractor",
        ),
        (
            condition("product_sku", "starts_with", json!("")),
            "[0].value: found \"\", allowed is a text that is not empty",
        ),
        (
            condition("product_sku", "equals", json!(440)),
            "[0].value: found 440, allowed is a text that is not empty",
        ),
        (
            condition("email", "equals", json!("anna")),
            "[0].value: found \"anna\", allowed is an e-mail address",
        ),
        (
            condition("browser_locale", "equals", json!("german language")),
            "allowed is a BCP 47 language tag",
        ),
        (
            condition("comment", "equals", json!("ä".repeat(201))),
            "allowed is a text of at most 200 characters",
        ),
        (
            condition("stars", "equals", json!(1)),
            "invalid value: string \"stars\", expected score, segment, product_sku, comment, \
             browser_locale, session_duration_seconds, session_page, response_id, customer_id or email",
        ),
        (
            condition("score", "<=", json!(1)),
            "invalid value: string \"<=\", expected equals, at_most, at_least or starts_with",
        ),
        (
            condition("score", "equals", json!(null)),
            "invalid type: null, expected a text or a whole number",
        ),
        (
            condition("score", "equals", json!(1.5)),
            "expected a text or a whole number",
        ),
        (
            json!([["score", "equals", 1]]),
            "expected an object of field, operator and value",
        ),
        (
            json!([{"field": "score", "operator": "equals"}]),
            "missing field `value`",
        ),
        (
            json!([{"field": "score", "operator": "equals", "value": 1, "not": true}]),
            "unknown field `not`",
        ),
        (json!({"score": 2}), "expected a sequence"),
    ] {
        let found = refused(&conditions);
        assert!(found.contains(words), "{conditions}: {found}");
    }
}

#[test]
fn a_filter_has_twenty_conditions_at_most() {
    let condition = json!({"field": "score", "operator": "at_most", "value": 2});
    let of = |count| json!(vec![condition.clone(); count]);
    assert_eq!(filter(&of(MAX_CONDITIONS)).conditions().len(), 20);
    assert_eq!(
        refused(&of(MAX_CONDITIONS + 1)),
        ": found 21 conditions, allowed is at most 20"
    );
}

#[test]
fn a_condition_that_no_chosen_event_carries_is_told() {
    let filter = filter(&json!([
        {"field": "email", "operator": "starts_with", "value": "anna"},
        {"field": "score", "operator": "at_most", "value": 2},
    ]));
    let without_effect = |events: &[EventKind]| {
        let events = events.iter().copied().collect();
        let mistakes = filter.without_effect_on(&events);
        mistakes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(without_effect(&EventKind::ALL).is_empty());
    assert!(without_effect(&[EventKind::RatingSubmitted]).is_empty());
    assert_eq!(
        without_effect(&[EventKind::NpsCalculated]),
        [
            "[1].field: found score, which none of the chosen events carries, \
             allowed is segment, session_page, response_id, customer_id or email"
        ]
    );
}

/// Any condition that may stand in a filter; its texts are cut out of those
/// that events hold, so that some match.
fn condition() -> impl Strategy<Value = Condition> {
    let pairs: Vec<(DataField, Operator)> = DataField::ALL
        .into_iter()
        .flat_map(|field| {
            field
                .operators()
                .iter()
                .map(move |operator| (field, *operator))
        })
        .collect();
    (
        select(pairs),
        any::<u32>(),
        1_u64..=5,
        "(?s).{1,3}",
        event_data(),
    )
        .prop_map(|((field, operator), seconds, stars, text, data)| {
            let data = serde_json::to_value(data).unwrap();
            let held = data[field.as_str()].as_str().map(str::to_owned);
            let value = match (field, operator) {
                (DataField::Score, _) => Operand::Number(stars),
                (DataField::SessionDurationSeconds, _) => Operand::Number(seconds.into()),
                (DataField::Segment, _) => {
                    Operand::Text(held.unwrap_or_else(|| "Passive".to_owned()))
                }
                (DataField::Email, Operator::Equals) => {
                    Operand::Text(held.unwrap_or_else(|| "a@example.de".to_owned()))
                }
                (DataField::BrowserLocale, Operator::Equals) => {
                    Operand::Text(held.unwrap_or_else(|| "de".to_owned()))
                }
                (_, Operator::StartsWith) => {
                    Operand::Text(held.unwrap_or(text).chars().take(1).collect())
                }
                (_, _) => Operand::Text(held.unwrap_or(text)),
            };
            Condition {
                field,
                operator,
                value,
            }
        })
}

/// What the condition means, over the event as JSON; written another way than
/// the code under test.
fn means(condition: &Condition, data: &Value) -> bool {
    let Some(found) = data.get(condition.field.as_str()) else {
        return true;
    };
    match (&condition.value, found) {
        (Operand::Number(wanted), Value::Number(found)) => {
            let found = found.as_u64().unwrap();
            match condition.operator {
                Operator::Equals => found == *wanted,
                Operator::AtMost => found < *wanted + 1,
                Operator::AtLeast => found + 1 > *wanted,
                Operator::StartsWith => false,
            }
        }
        (Operand::Text(wanted), Value::String(found)) => match condition.operator {
            Operator::Equals => found == wanted,
            Operator::StartsWith => found.find(wanted.as_str()) == Some(0),
            Operator::AtMost | Operator::AtLeast => false,
        },
        _ => false,
    }
}

fn lets_pass(filter: &Filter, envelope: &Envelope) -> bool {
    let body = envelope.to_bytes().unwrap();
    filter.lets_pass(&FilteredEvent::new(envelope.data().kind(), &body))
}

proptest! {
    #[test]
    fn a_filter_is_the_same_after_writing_and_reading(conditions in vec(condition(), 0..=20)) {
        let filter = Filter::new(conditions).unwrap();
        let bytes = serde_json::to_vec(&filter).unwrap();
        prop_assert_eq!(serde_json::from_slice::<Filter>(&bytes).unwrap(), filter);
    }

    #[test]
    fn an_event_gets_past_when_all_that_concerns_it_holds(
        conditions in vec(condition(), 0..4),
        envelope in envelope(),
    ) {
        let data = serde_json::to_value(envelope.data()).unwrap();
        let expected = conditions.iter().all(|condition| means(condition, &data));
        prop_assert_eq!(lets_pass(&Filter::new(conditions).unwrap(), &envelope), expected);
    }

    #[test]
    fn one_condition_more_lets_no_more_events_pass(
        conditions in vec(condition(), 1..4),
        envelope in envelope(),
    ) {
        let fewer = Filter::new(conditions.iter().skip(1).cloned().collect()).unwrap();
        let all = Filter::new(conditions).unwrap();
        prop_assert!(!lets_pass(&all, &envelope) || lets_pass(&fewer, &envelope));
    }
}
