//! The generated schemas say the words that the code says.

use domain::{
    AuditAction, Cause, DataField, DeadLetterReason, EventKind, JobAction, JobState, Operator,
};
use schemars::{JsonSchema, schema_for};

fn words<T: JsonSchema>() -> Vec<String> {
    let schema = schema_for!(T).to_value();
    let alternatives = schema["oneOf"].as_array().unwrap();
    let word = |it: &serde_json::Value| it["const"].as_str().unwrap().to_owned();
    alternatives.iter().map(word).collect()
}

#[test]
fn every_word_of_the_api_is_in_its_schema() {
    assert_eq!(
        words::<AuditAction>(),
        AuditAction::ALL.map(AuditAction::as_str)
    );
    assert_eq!(words::<Cause>(), Cause::ALL.map(Cause::as_str));
    assert_eq!(words::<DataField>(), DataField::ALL.map(DataField::as_str));
    assert_eq!(
        words::<DeadLetterReason>(),
        DeadLetterReason::ALL.map(DeadLetterReason::as_str)
    );
    assert_eq!(words::<EventKind>(), EventKind::ALL.map(EventKind::as_str));
    assert_eq!(words::<JobAction>(), JobAction::ALL.map(JobAction::as_str));
    assert_eq!(words::<JobState>(), JobState::ALL.map(JobState::as_str));
    assert_eq!(words::<Operator>(), Operator::ALL.map(Operator::as_str));
}
