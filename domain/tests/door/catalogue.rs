//! The event catalogue.

use domain::{DataField, EventData, EventKind, FieldKind, catalogue};

#[test]
fn the_catalogue_has_every_event_and_every_field_that_it_carries_in_the_order_of_its_bytes() {
    let entries = catalogue();
    assert_eq!(entries.each_ref().map(|entry| entry.event), EventKind::ALL);
    for entry in entries {
        let example = serde_json::to_value(EventData::example(entry.event)).unwrap();
        let names: Vec<&str> = entry.fields.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(names, Vec::from_iter(example.as_object().unwrap().keys()));
        for field in DataField::ALL {
            let listed = entry.fields.iter().any(|it| it.field == field);
            assert_eq!(listed, field.is_carried_by(entry.event), "{field}");
        }
        assert!(
            entry
                .description
                .starts_with(&format!("`{}`: ", entry.event))
        );
        assert_eq!(entry.schema["title"], entry.event.as_str());
    }
}

#[test]
fn a_field_says_what_it_holds() {
    let [feedback, rating, nps, _] = catalogue();
    let [comment, seconds] = [DataField::Comment, DataField::SessionDurationSeconds]
        .map(|name| feedback.fields.iter().find(|it| it.field == name).unwrap());
    assert_eq!((&comment.kind, comment.nullable), (&FieldKind::Text, false));
    assert_eq!(comment.description, "What the customer wrote.");
    let any = FieldKind::WholeNumber {
        from: 0,
        to: u32::MAX.into(),
    };
    assert_eq!((&seconds.kind, seconds.nullable), (&any, true));
    assert_eq!(
        rating.fields[2].kind,
        FieldKind::WholeNumber { from: 1, to: 5 }
    );
    let words = ["Promoter", "Passive", "Detractor"].map(str::to_owned);
    assert_eq!(nps.fields[2].kind, FieldKind::OneOf(words.into()));
}
